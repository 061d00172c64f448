"""How does a browser sign in, and by what is it known after that? By a custom token, once; by the session cookie."""

from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.accounts import identity, services, tokens
from apps.accounts.authentication import SESSION_COOKIE, end_user
from apps.accounts.principal import Principal
from apps.kernel.refusals import Unauthorized
from apps.tenants import binding


def sign_in(claims: identity.Claims) -> Principal:
    """Use up a custom token for the person whom it names; Unauthorized when it was used before, or they are unknown."""
    binding.bind(claims.client.id)
    with binding.atomic():
        ends = datetime.fromtimestamp(claims.all["exp"], UTC)
        services.spend_token(client_id=claims.client.id, jti=claims.jti, expires_at=ends)
        return end_user(claims)


def remember(response: HttpResponse, person: Principal, *, request: HttpRequest) -> None:
    """Set the session cookie: for requests from this site alone, over TLS where there is any, no script can read it."""
    session = tokens.SessionToken.issue(person.client_id, person.subject)
    response.set_cookie(
        SESSION_COOKIE,
        session.text,
        max_age=int(tokens.SESSION_LIFETIME.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE or request.is_secure(),
    )


def person_of(request: HttpRequest) -> Principal | None:
    """Whom the browser's cookie names, their client bound; None for nobody."""
    cookie = request.COOKIES.get(SESSION_COOKIE)
    try:
        return end_user(identity.read(cookie, "session"), by_cookie=True) if cookie else None
    except Unauthorized:
        return None
