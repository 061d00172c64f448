"""What do our tokens say, and how are they issued? The local issuer, on simplejwt's machinery (contract 1)."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.tokens import Token

from apps.accounts import keys
from apps.accounts.models import RevokableToken

ID_LIFETIME = timedelta(hours=1)
ADMIN_LIFETIME = timedelta(hours=1)
REFRESH_LIFETIME = timedelta(days=7)
CUSTOM_LIFETIME = timedelta(minutes=5)
SESSION_LIFETIME = timedelta(hours=12)
# A revokable token without an end is bounded by its row, which is looked up at every use.
REVOKABLE_LIFETIME = timedelta(days=3650)


class LocalBackend(TokenBackend):
    """simplejwt's backend with the key id in the header, as a JWKS needs it."""

    def __init__(self) -> None:
        super().__init__(keys.ALGORITHM, signing_key=keys.signing_pem())

    def encode(self, payload: dict[str, Any]) -> str:
        return jwt.encode(
            payload, self.prepared_signing_key, algorithm=self.algorithm, headers={"kid": keys.local_kid()}
        )


@cache
def _backend() -> LocalBackend:
    """One a process: it has read the key."""
    return LocalBackend()


class LocalToken(Token):
    """The common claims: iss, aud, tid, sub, iat, exp, jti, and the kind, which nothing else can stand in for."""

    token_type = ""
    lifetime = ID_LIFETIME

    def get_token_backend(self) -> TokenBackend:
        return _backend()

    @classmethod
    def issue(cls, client_id: str, subject: str, ttl: timedelta | None = None, **claims: Any) -> "Issued":
        token = cls()
        now = datetime.now(UTC)
        token.set_iat(at_time=now)
        token.set_exp(from_time=now, lifetime=cls.lifetime if ttl is None else ttl)
        token.payload.update({"iss": settings.ISSUER, "aud": client_id, "tid": client_id, "sub": subject, **claims})
        return Issued(token)


class Issued:
    """A token as it leaves us: the text, its id and when it ends."""

    def __init__(self, token: Token) -> None:
        self.text = str(token)
        self.jti = str(token.payload["jti"])
        self.expires_at = datetime.fromtimestamp(token.payload["exp"], UTC)


class IdToken(LocalToken):
    token_type = "id"
    lifetime = ID_LIFETIME


class AdminToken(LocalToken):
    token_type = "admin"
    lifetime = ADMIN_LIFETIME


class RefreshToken(LocalToken):
    token_type = "refresh"
    lifetime = REFRESH_LIFETIME


class CustomToken(LocalToken):
    token_type = "custom"
    lifetime = CUSTOM_LIFETIME


class SessionToken(LocalToken):
    token_type = "session"
    lifetime = SESSION_LIFETIME


class IntegrationToken(LocalToken):
    token_type = "revokable"
    lifetime = REVOKABLE_LIFETIME


def issue_id_token(client_id: str, uid: str, ttl: timedelta | None = None, **claims: Any) -> Issued:
    """An end user's ID token of the local issuer, Firebase's shape; `role=` makes it one of staff."""
    auth_time = int(datetime.now(UTC).timestamp())
    return IdToken.issue(client_id, uid, ttl, auth_time=auth_time, user_id=uid, **claims)


def issue_revokable_token(row: RevokableToken, *, now: datetime) -> Issued:
    """The secret of an integration: its `jti` is the row, which says whether it is still good."""
    ttl = row.expires_at - now if row.expires_at else None
    return IntegrationToken.issue(row.client_id, row.pk, ttl, jti=row.pk)
