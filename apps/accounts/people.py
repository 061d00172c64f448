"""Is this person known? End users, who may be let register themselves, and staff (contract 1)."""

import re
import threading
import time
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.accounts.models import User
from apps.accounts.principal import Principal
from apps.kernel.refusals import Unauthorized
from apps.tenants import binding
from apps.tenants.models import Client, EndUser

# Rows of people are not taken away by the API, so a yes may be remembered; a no never is.
_REMEMBERED_SECONDS = 60.0
_MOST_REMEMBERED = 50_000
_UNSTORABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_MARK_LENGTH = 32
_lock = threading.Lock()
_known: dict[tuple[str, str], float] = {}


def admit(client: Client, principal: Principal, claims: dict[str, Any]) -> None:
    """Let a person with a valid token in: they exist, or their client lets people register themselves."""
    key = (client.id, principal.subject)
    if _known.get(key, 0.0) > time.monotonic():
        return
    people = EndUser.objects.for_client(client.id)
    if not people.filter(uid=principal.subject).exists():
        if not client.self_registration:
            raise Unauthorized("unknown user, and the client does not let people register themselves")
        people.bulk_create([_newcomer(client, principal.subject, claims)], ignore_conflicts=True)
    with _lock:
        if len(_known) >= _MOST_REMEMBERED:
            _known.clear()
        _known[key] = time.monotonic() + _REMEMBERED_SECONDS


def forget() -> None:
    with _lock:
        _known.clear()


def _newcomer(client: Client, uid: str, claims: dict[str, Any]) -> EndUser:
    """A row from what the identity provider says; what it says badly is left out."""
    return EndUser(
        client=client,
        uid=uid,
        email=_email(claims.get("email")),
        display_name=_text(claims.get("name"))[:200],
        photo_url=_address(claims.get("picture")),
        membership_tier=client.first_tier,
        locale=client.default_locale,
    )


def _text(value: Any) -> str:
    return _UNSTORABLE.sub("", value) if isinstance(value, str) else ""


def _email(value: Any) -> str:
    text = _text(value)
    try:
        validate_email(text)
    except ValidationError:
        return ""
    return text if len(text) <= 254 else ""


def _address(value: Any) -> str:
    text = _text(value)
    return text if re.match(r"https?://", text) and len(text) <= 2000 else ""


def member_of_staff(username: str) -> User:
    user = User.objects.filter(username=username, is_active=True, is_staff=True).first()
    if user is None:
        raise Unauthorized("no such member of staff")
    return user


def clients_of(user: User) -> list[str]:
    """The active clients that a member of staff administers, in order."""
    with binding.bound(binding.ALL_CLIENTS):
        clients = Client.objects.active().filter(administrations__user=user).order_by("id")
        return list(clients.values_list("id", flat=True))


def password_mark(user: User) -> str:
    """Changes with the password, and tells nothing of it."""
    return user.get_session_auth_hash()[:_MARK_LENGTH]


def is_same_password(user: User, claims: dict[str, Any]) -> bool:
    """False for a token that was given for a password which has been changed since."""
    return "pwd" not in claims or bool(claims["pwd"] == password_mark(user))
