"""What may change about clients, people and tokens? (contract 1, 2, 12)"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, connection
from psycopg.errors import UniqueViolation

from apps.accounts import people, second_factor
from apps.accounts.models import RevokableToken, SpentToken, User
from apps.kernel.refusals import BadRequest, Conflict, Detail, NotFound, Unauthorized
from apps.tenants import binding
from apps.tenants.models import LIBRARY_CLIENT_ID, Client, EndUser

LOOPBACK = ("localhost", "127.0.0.1", "::1")
# A spent token is remembered this long past its end, beyond any skew of clocks.
SPENT_KEPT = timedelta(hours=1)


def sign_in_staff(*, username: str, password: str, code: str = "") -> User:
    """The member of staff of that name and password; Unauthorized, after the same work, whatever is wrong.

    Who has set up a second factor shows its `code` here as in the admin; ADMIN_REQUIRE_2FA lets nobody in without.
    """
    user = User.objects.filter(username=username).first()
    if user is None:
        User().set_password(password)
        raise Unauthorized("no such member of staff")
    if not user.check_password(password):
        raise Unauthorized("wrong password")
    device = second_factor.device_of(user)
    if device is None and settings.ADMIN_REQUIRE_2FA:
        raise Unauthorized("no second factor was set up")
    if device is not None and not second_factor.verify(device, code):
        raise Unauthorized("wrong code of the second factor")
    return people.member_of_staff(username)


def spend_token(*, client_id: str, jti: str, expires_at: datetime) -> None:
    """Use a token up. Of any number of callers one gets past here; the others are Unauthorized."""
    with binding.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_spenttoken (jti, client_id, expires_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [jti, client_id, expires_at],
        )
        if cursor.rowcount != 1:
            raise Unauthorized("a token that was used before")


def purge_spent_tokens(*, now: datetime) -> int:
    """Forget the tokens that could not be used again anyway; how many."""
    with binding.bound(binding.ALL_CLIENTS), binding.atomic():
        count, _ = SpentToken.objects.filter(expires_at__lt=now - SPENT_KEPT).delete()
    return count


def create_client(*, client_id: str, fields: Mapping[str, Any]) -> Client:
    """A new tenant. Conflict if the name, or its identity provider's issuer and audience, is another's."""
    client = Client(id=client_id, **fields)
    check_client(client)
    _save_client(client, is_new=True)
    return client


def update_client(*, client_id: str, fields: Mapping[str, Any]) -> Client:
    """Change what is given, by the model's names."""
    with binding.atomic():
        # NO KEY: the client's people must be able to go on writing rows that refer to it.
        client = Client.objects.select_for_update(no_key=True).filter(pk=client_id).first()
        if client is None:
            raise NotFound("Client not found")
        for name, value in fields.items():
            setattr(client, name, value)
        check_client(client)
        _save_client(client, is_new=False)
    return client


def check_client(client: Client) -> None:
    """BadRequest for what the fields of a client, each by itself right, must not say together."""
    if client.pk == LIBRARY_CLIENT_ID and client.status != Client.Status.ACTIVE:
        raise _wrong("status", "The platform's own client stays active.")
    given = {"issuer": client.issuer, "audience": client.audience, "jwksUrl": client.jwks_url}
    if any(given.values()) and not all(given.values()):
        missing = next(name for name, value in given.items() if not value)
        raise _wrong(missing, "issuer, audience and jwksUrl go together.")
    if client.issuer == settings.ISSUER:
        raise _wrong("issuer", "This is the local issuer.")
    if client.jwks_url and not _is_fetchable(client.jwks_url):
        raise _wrong("jwksUrl", "Must be an https address.")


def _is_fetchable(url: str) -> bool:
    """Over https; a deployment without TLS of its own may use one on the same machine over http."""
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        return False
    is_development = not settings.PUBLIC_URL.startswith("https://")
    return parts.scheme == "https" or (is_development and parts.scheme == "http" and parts.hostname in LOOPBACK)


def _save_client(client: Client, *, is_new: bool) -> None:
    try:
        with binding.atomic():
            client.save(force_insert=is_new)
    except IntegrityError as error:
        if _constraint(error) == "client_identity_unique":
            raise Conflict("Another client has this issuer and audience") from error
        if _constraint(error) == "tenants_client_pkey":
            raise Conflict("clientId is taken") from error
        raise


def create_end_user(*, client: Client, uid: str, fields: Mapping[str, Any]) -> EndUser:
    """A new person of this client. Conflict if the uid is taken."""
    user = EndUser(client=client, uid=uid, membership_tier=client.first_tier, locale=client.default_locale)
    _set_end_user(client, user, fields)
    try:
        with binding.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        if _constraint(error) == "end_user_uid_unique":
            raise Conflict("userId is taken") from error
        raise
    return user


def update_end_user(*, client: Client, uid: str, fields: Mapping[str, Any]) -> EndUser:
    """Change what is given, by the model's names; `assessments` by kind, where None takes one away."""
    with binding.atomic():
        user = EndUser.objects.for_client(client.pk).filter(uid=uid).select_for_update(no_key=True).first()
        if user is None:
            raise NotFound("User not found")
        _set_end_user(client, user, fields)
        user.save()
    return user


def _set_end_user(client: Client, user: EndUser, fields: Mapping[str, Any]) -> None:
    if "membership_tier" in fields:
        check_tier(client, fields["membership_tier"])
    assessments = {**user.assessments, **fields.get("assessments", {})}
    for name, value in fields.items():
        setattr(user, name, value)
    user.assessments = {kind: value for kind, value in assessments.items() if value is not None}


def check_tier(client: Client, tier: str) -> None:
    """BadRequest for a tier that the client does not have."""
    if tier not in client.membership_tiers:
        raise _wrong("membershipTier", f"Must be one of {', '.join(client.membership_tiers)}.")


def check_expiry(expires_at: datetime | None, now: datetime) -> None:
    """BadRequest for a credential that would end before it begins."""
    if expires_at is not None and expires_at <= now:
        raise _wrong("expiresAt", "Must be in the future.")


def create_revokable_token(
    *, client: Client, label: str, expires_at: datetime | None, by: str, now: datetime
) -> RevokableToken:
    """The row of a new credential; the secret is made from its id, and not kept."""
    check_expiry(expires_at, now)
    return RevokableToken.objects.create(
        client=client, label=label, created_by=by, created_at=now, expires_at=expires_at
    )


def revoke_token(*, client_id: str, token_id: str, now: datetime) -> None:
    """Refused from the next request on. Revoking twice changes nothing."""
    tokens = RevokableToken.objects.for_client(client_id).filter(pk=token_id)
    if not tokens.filter(revoked_at__isnull=True).update(revoked_at=now) and not tokens.exists():
        raise NotFound("Token not found")


def _wrong(path: str, message: str) -> BadRequest:
    return BadRequest("Invalid request", details=[Detail(path, message)])


def _constraint(error: IntegrityError) -> str | None:
    cause = error.__cause__
    return cause.diag.constraint_name if isinstance(cause, UniqueViolation) else None
