"""Which key signs our own tokens, and which checks them? The local issuer's key pair."""

import base64
import hashlib
import os
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

ALGORITHM = "RS256"


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


def local_key(kid: str) -> rsa.RSAPublicKey | None:
    """The public half, if it is asked for by its id."""
    return signing_key().public_key() if kid == local_kid() else None


def _base64url(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
