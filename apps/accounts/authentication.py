"""Which credential does a request carry, and whose is it? Exactly one of three headers, or the pages' cookie."""

import hashlib
import hmac
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.accounts import identity, people
from apps.accounts.models import RevokableToken, User
from apps.accounts.principal import STAFF, Principal, Role
from apps.api.dialect import CHALLENGE, SAFE_METHODS
from apps.kernel.clock import now
from apps.kernel.refusals import Forbidden, Unauthorized
from apps.tenants import binding
from apps.tenants.models import LIBRARY_CLIENT_ID

HEADERS = ("Authorization", "AdminToken", "RevokableToken")
# By their names in the request's environment: a mapping of all headers would cost more than reading the token.
_NAMED = {f"HTTP_{header.upper()}": header for header in HEADERS}
SESSION_COOKIE = "gofa_session"
_NOTED_EVERY = timedelta(minutes=1)


class CredentialAuthentication(BaseAuthentication):
    """Binds the tenant as soon as it knows it, before any transaction."""

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        present = [name for name in _NAMED if name in request.META]
        if len(present) > 1:
            raise Unauthorized("two credentials at once")
        if present:
            return principal_of(_NAMED[present[0]], request.META[present[0]]), None
        cookie = request.COOKIES.get(SESSION_COOKIE)
        if cookie is None:
            return None
        principal = end_user(identity.read(cookie, "session"), by_cookie=True)
        if request.method not in SAFE_METHODS:
            require_same_origin(request, cookie)
        return principal, None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


def principal_of(header: str, value: str) -> Principal:
    """The bearer of one credential header; Unauthorized for a token of the wrong kind in it."""
    if header == "AdminToken":
        return staff(identity.read(value, "admin"))
    if header == "RevokableToken":
        return integration(identity.read(value, "revokable"))
    scheme, _, token = value.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized("not a bearer token")
    claims = identity.read(token.lstrip(" "), "id", "admin")
    return staff(claims) if claims.kind == "admin" or claims.all.get("role") in STAFF else end_user(claims)


def end_user(claims: identity.Claims, *, by_cookie: bool = False) -> Principal:
    principal = Principal(Role.END_USER, claims.client.id, claims.subject, by_cookie=by_cookie)
    binding.bind(claims.client.id)
    people.admit(claims.client, principal, claims.all)
    return principal


def staff(claims: identity.Claims) -> Principal:
    """Looked up at every request, so that somebody who has left is out at once."""
    if not claims.is_local:
        return _staff_of_provider(claims)
    user = people.member_of_staff(claims.subject)
    if not people.is_same_password(user, claims.all):
        raise Unauthorized("the password has changed since")
    return principal_of_staff(user, claims.client.id)


def principal_of_staff(user: User, client_id: str | None = None) -> Principal:
    """What a member of staff may act for, speaking for this client or for the first of theirs; binds the tenant."""
    if user.is_platform:
        principal = Principal(Role.PLATFORM_ADMIN, LIBRARY_CLIENT_ID, user.username)
    else:
        clients = people.clients_of(user)
        if not clients:
            raise Unauthorized("administers no client")
        if client_id is not None and client_id not in clients:
            raise Unauthorized("does not administer this client any more")
        principal = Principal(Role.CLIENT_ADMIN, client_id or clients[0], user.username, frozenset(clients))
    binding.bind(principal.client_id)
    return principal


def _staff_of_provider(claims: identity.Claims) -> Principal:
    """A client's own identity provider can name its administrators, and nobody beyond its client."""
    if claims.all.get("role") != Role.CLIENT_ADMIN:
        raise Unauthorized("a role that this issuer cannot give")
    binding.bind(claims.client.id)
    return Principal(Role.CLIENT_ADMIN, claims.client.id, claims.subject, frozenset({claims.client.id}))


def integration(claims: identity.Claims) -> Principal:
    """A revokable token is good while its row says so, from one request to the next."""
    binding.bind(claims.client.id)
    time = now()
    row = (
        RevokableToken.objects.for_client(claims.client.id)
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=time), pk=claims.jti, revoked_at__isnull=True)
        .first()
    )
    if row is None:
        raise Unauthorized("revoked, expired or unknown token")
    if row.last_used_at is None or row.last_used_at < time - _NOTED_EVERY:
        RevokableToken.objects.filter(pk=row.pk).update(last_used_at=time)
    return Principal(Role.INTEGRATION, claims.client.id, row.pk)


def csrf_token(cookie: str) -> str:
    """What a page of ours carries and another site cannot know; bound to the session cookie."""
    return hmac.new(settings.SECRET_KEY.encode(), b"csrf:" + cookie.encode(), hashlib.sha256).hexdigest()


def require_same_origin(request: Request, cookie: str) -> None:
    """A write by cookie comes from a page of ours, or is Forbidden (contract 2)."""
    # Behind a proxy that ends TLS the scheme that we see is not the one that the browser sees: PUBLIC_URL tells.
    own = {f"{request.scheme}://{request.get_host()}", settings.PUBLIC_URL.rstrip("/")}
    given = request.headers.get("X-CSRF-Token", "")
    if request.headers.get("Origin") not in own:
        raise Forbidden("The request does not come from this site")
    if not hmac.compare_digest(given.encode(), csrf_token(cookie).encode()):
        raise Forbidden("The CSRF token is missing or wrong")
