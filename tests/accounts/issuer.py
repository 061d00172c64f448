"""An identity provider of a client's own, and tokens that are wrong in every way there is."""

import base64
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.db import connections
from jwt.algorithms import RSAAlgorithm

from apps.accounts import keys
from tests.caller import Caller

ResultT = TypeVar("ResultT")
ISSUER, AUDIENCE = "https://id.acme.example", "acme-app"


@cache
def key_pair(name: str) -> rsa.RSAPrivateKey:
    """Made once a run: it takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public(name: str, **over: Any) -> dict[str, Any]:
    """The public half as an entry of a key set; its kid is its name."""
    entry = json.loads(RSAAlgorithm.to_jwk(key_pair(name).public_key()))
    return {"kty": "RSA", "n": entry["n"], "e": entry["e"], "kid": name, "use": "sig", "alg": "RS256", **over}


def key_set(*names: str) -> str:
    return json.dumps({"keys": [public(name) for name in names]})


def claims(**over: Any) -> dict[str, Any]:
    """What an ID token of the provider says; a claim that is given as None is left out."""
    now = int(time.time())
    usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": "dan", "iat": now, "auth_time": now, "exp": now + 3600}
    return {name: value for name, value in {**usual, **over}.items() if value is not None}


def provider_token(key: str = "key-1", *, headers: dict[str, Any] | None = None, **over: Any) -> str:
    return jwt.encode(claims(**over), key_pair(key), "RS256", headers={"kid": key, **(headers or {})})


def local_claims(**over: Any) -> dict[str, Any]:
    usual = {"iss": settings.ISSUER, "aud": "demo", "tid": "demo", "sub": "ada", "token_type": "id", "jti": "j"}
    return claims(**{**usual, **over})


def local_token(*, headers: dict[str, Any] | None = None, **over: Any) -> str:
    """Signed by the local issuer, whatever it says."""
    named = {"kid": keys.local_kid(), **(headers or {})}
    return jwt.encode(local_claims(**over), keys.signing_key(), "RS256", headers=named)


def signed_text(payload: bytes) -> str:
    """A local token around any bytes at all."""
    return jwt.api_jws.encode(payload, keys.signing_key(), "RS256", headers={"kid": keys.local_kid()})


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def bearer(token: str) -> Caller:
    return Caller({"Authorization": f"Bearer {token}"})


def knock(token: str) -> Any:
    """Ask for something that any end user may have, with this ID token."""
    return bearer(token).post("/api/auth/exchange-token")


def at_once(count: int, act: Callable[[int], ResultT]) -> list[ResultT]:
    """What `act` answers in so many threads, each with a database connection of its own."""

    def run(number: int) -> ResultT:
        try:
            return act(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
