"""Is this token what it says? Every check of quality.md, fact 7, on top of PyJWT's."""

import base64
import re
import threading
import time
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

import jwt
from django.conf import settings

from apps.accounts import key_sets, keys
from apps.kernel.refusals import Unauthorized
from apps.tenants import registry
from apps.tenants.models import Client

SKEW_SECONDS = 10
MAX_ID_LIFETIME_SECONDS = 24 * 3600
MAX_TOKEN_LENGTH = 8192
# Lone surrogates too: JSON can say them, and nothing can store them.
_SUBJECT = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,128}")
_PARTY = re.compile(r"[\x21-\x7e]{1,500}")
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")

# Checking a signature costs more than the rest of a read; a token that was good a moment ago is good now.
_REMEMBERED_SECONDS = 60.0
_MOST_REMEMBERED = 20_000
_lock = threading.Lock()
_good: dict[str, tuple[float, "Claims"]] = {}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a checked token says: its kind, client, subject, all of its claims, and the key that it was checked with."""

    kind: str
    client: Client
    subject: str
    all: dict[str, Any]
    is_local: bool
    kid: str
    key: Any

    @property
    def jti(self) -> str:
        return str(self.all.get("jti", ""))


def read(token: str, *kinds: str) -> Claims:
    """The claims of a token of one of these kinds (`id`, `admin`, `revokable`, `custom`, `refresh`, `session`).

    Unauthorized, with the reason for the log, for anything else. `exp` and `iat` may be 10 s off.
    """
    now = time.time()
    claims = _remembered(token) or _checked(token, now)
    if claims.kind not in kinds:
        raise Unauthorized(f"a token of kind {claims.kind} in the place of {' or '.join(kinds)}")
    if claims.all["exp"] + SKEW_SECONDS <= now:
        raise Unauthorized("expired")
    return claims


def is_subject(value: Any) -> bool:
    """Can this be somebody's uid or user name?"""
    return isinstance(value, str) and bool(_SUBJECT.fullmatch(value))


def forget() -> None:
    with _lock:
        _good.clear()


def _remembered(token: str) -> Claims | None:
    """The claims that were checked a moment ago, with the client as it is now.

    None once the client has another identity provider, or its key set no longer holds the very key.
    """
    until, claims = _good.get(token, (0.0, None))
    if claims is None or until <= time.monotonic():
        return None
    client = registry.find(claims.client.id)
    if client is None:
        raise Unauthorized("unknown or suspended client")
    if not claims.is_local:
        if (client.issuer, client.audience) != (claims.all["iss"], claims.all["aud"]):
            return None
        if key_sets.key_set(client.jwks_url).key(claims.kid) is not claims.key:
            return None
    if client is not claims.client:
        claims = replace(claims, client=client)
        _good[token] = (until, claims)
    return claims


def _checked(token: str, now: float) -> Claims:
    try:
        claims = _decode(token, now)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise Unauthorized(f"{type(error).__name__}: {error}") from error
    with _lock:
        if len(_good) >= _MOST_REMEMBERED:
            _good.clear()
        _good[token] = (time.monotonic() + _REMEMBERED_SECONDS, claims)
    return claims


def _decode(token: str, now: float) -> Claims:
    header = _header(token)
    unverified = jwt.decode(token, options={"verify_signature": False})
    issuer, audience = unverified.get("iss"), unverified.get("aud")
    # An array of audiences is legal and ambiguous: which of them would the tenant be?
    if not _is_party(issuer) or not _is_party(audience):
        raise ValueError("iss and aud must be strings of visible characters")
    is_local = issuer == settings.ISSUER
    client = registry.find(audience) if is_local else registry.find_by_identity(issuer, audience)
    if client is None:
        raise ValueError("issuer and audience belong to no active client")
    key = keys.local_key(header["kid"]) if is_local else key_sets.key_set(client.jwks_url).key(header["kid"])
    if key is None:
        raise ValueError("unknown key")
    payload = jwt.decode(
        token,
        key,
        algorithms=[keys.ALGORITHM],
        audience=audience,
        issuer=issuer,
        leeway=SKEW_SECONDS,
        options={"require": ["exp", "iat", "sub"]},
    )
    kind = _kind(payload, is_local)
    _check_claims(payload, kind, now)
    if is_local and payload.get("tid") != client.id:
        raise ValueError("tid is not the audience")
    return Claims(kind, client, payload["sub"], payload, is_local, header["kid"], key)


def _is_party(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and bool(_PARTY.fullmatch(value))


def _header(token: str) -> dict[str, Any]:
    if len(token) > MAX_TOKEN_LENGTH:
        raise ValueError("too long")
    segments = token.split(".")
    if len(segments) != 3 or not all(_is_canonical(segment) for segment in segments):
        raise ValueError("not three segments of canonical base64url")
    header: dict[str, Any] = jwt.get_unverified_header(token)
    if header.get("alg") != keys.ALGORITHM:
        raise ValueError("algorithm is not on the list")
    if not isinstance(header.get("kid"), str) or "crit" in header:
        raise ValueError("no kid, or critical extensions")
    return header


def _is_canonical(segment: str) -> bool:
    """Trailing bits that decode to nothing would let one token be written in several ways."""
    if not _SEGMENT.fullmatch(segment) or len(segment) % 4 == 1:
        return False
    raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == segment


def _kind(payload: dict[str, Any], is_local: bool) -> str:
    # Only ID tokens come from other issuers, whatever else they may claim to be.
    return str(payload.get("token_type", "")) if is_local else "id"


def _check_claims(payload: dict[str, Any], kind: str, now: float) -> None:
    """What PyJWT lets through."""
    if not is_subject(payload["sub"]):
        raise ValueError("sub must be 1 to 128 characters without control characters")
    for name in ("exp", "iat", "auth_time"):
        if name in payload and (isinstance(payload[name], bool) or not isinstance(payload[name], int)):
            raise ValueError(f"{name} must be a whole number")
    if payload["iat"] > now + SKEW_SECONDS:
        raise ValueError("issued in the future")
    if kind == "id":
        if not 0 < payload.get("auth_time", 0) <= now + SKEW_SECONDS:
            raise ValueError("auth_time is missing or in the future")
        if payload["exp"] - payload["iat"] > MAX_ID_LIFETIME_SECONDS:
            raise ValueError("lives too long")
