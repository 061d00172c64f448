"""Which keys sign and check tokens? Our own issuer's key pair, and the key sets of the clients' identity providers."""

import base64
import hashlib
import json
import os
import re
import threading
import time
from functools import cache
from typing import Any

import requests
import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from jwt import PyJWK, PyJWTError

log = structlog.get_logger(__name__)

ALGORITHM = "RS256"
FETCH_TIMEOUT_SECONDS = 5
MAX_SET_BYTES = 256 * 1024
DEFAULT_LIFETIME_SECONDS = 300
MAX_LIFETIME_SECONDS = 86_400
# A flood of unknown key ids makes at most one fetch in this time.
UNKNOWN_KEY_PAUSE_SECONDS = 60


@cache
def signing_key() -> rsa.RSAPrivateKey:
    """The local issuer's key: made once, kept in the data folder."""
    path = settings.SIGNING_KEY_FILE
    if not path.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_bytes(pem)
        try:
            # Linked rather than renamed: of two processes that start at once, both use the first one's key.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    loaded = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(loaded, rsa.RSAPrivateKey):
        raise TypeError(f"{path.name} holds no RSA key")
    return loaded


@cache
def signing_pem() -> str:
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return signing_key().private_bytes(*form).decode()


@cache
def local_key_set() -> dict[str, Any]:
    """The public half, as `/.well-known/jwks.json` answers it (RFC 7517)."""
    numbers = signing_key().public_key().public_numbers()
    modulus, exponent = _base64url(numbers.n), _base64url(numbers.e)
    thumbprint = hashlib.sha256(f'{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}'.encode()).digest()
    kid = base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode()
    return {"keys": [{"kty": "RSA", "use": "sig", "alg": ALGORITHM, "kid": kid, "n": modulus, "e": exponent}]}


def local_kid() -> str:
    return str(local_key_set()["keys"][0]["kid"])


def _base64url(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class KeySet:
    """The public keys behind one address: fetched once, kept as long as the answer allows."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._keys: dict[str, PyJWK] = {}
        self._stale_at = 0.0
        self._fetched_at = float("-inf")
        self._lock = threading.Lock()

    def key(self, kid: str) -> PyJWK | None:
        """The key of that id. An unknown id, or a set past its lifetime, is looked up again, at most once a minute."""
        now = time.monotonic()
        known = self._keys.get(kid)
        if known is not None and now < self._stale_at:
            return known
        with self._lock:
            due = now >= self._stale_at or kid not in self._keys
            if due and now - self._fetched_at >= self._pause():
                self._fetched_at = now
                self._fetch(now)
        # A set that cannot be fetched again stays in use for a while: the provider's outage is not its users'.
        return self._keys.get(kid) if now < self._stale_at + MAX_LIFETIME_SECONDS else None

    def _pause(self) -> float:
        """A provider that did not answer is asked again sooner: there is nothing yet that a flood could ask beyond."""
        return UNKNOWN_KEY_PAUSE_SECONDS if self._keys else 1.0

    def _fetch(self, now: float) -> None:
        try:
            with requests.get(self.url, timeout=FETCH_TIMEOUT_SECONDS, stream=True, allow_redirects=False) as answer:
                answer.raise_for_status()
                body = answer.raw.read(MAX_SET_BYTES + 1, decode_content=True)
                if len(body) > MAX_SET_BYTES:
                    raise ValueError("key set is too large")
                keys = _public_keys(body)
                lifetime = _lifetime(answer.headers.get("Cache-Control", ""))
        except (requests.RequestException, ValueError, PyJWTError, OSError) as error:
            log.warning("key_set_unavailable", url=self.url, error=str(error))
            return
        self._keys, self._stale_at = keys, now + lifetime


def _public_keys(body: bytes) -> dict[str, PyJWK]:
    entries = json.loads(body).get("keys", [])
    rsa_keys = [entry for entry in entries if entry.get("kty") == "RSA" and entry.get("kid") and "d" not in entry]
    return {str(entry["kid"]): PyJWK(entry, algorithm=ALGORITHM) for entry in rsa_keys}


def _lifetime(cache_control: str) -> float:
    match = re.search(r"max-age=(\d+)", cache_control)
    seconds = int(match[1]) if match else DEFAULT_LIFETIME_SECONDS
    return min(seconds, MAX_LIFETIME_SECONDS)


@cache
def key_set(url: str) -> KeySet:
    """One set an address and process."""
    return KeySet(url)
