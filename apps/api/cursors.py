"""Where does the next page begin? Signed keyset cursors: opaque, exact, tamper-evident, bound to their list."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.core import signing

from apps.kernel.refusals import BadRequest


class CursorInvalid(BadRequest):
    code = "pagination.cursor_invalid"


def seal(purpose: str, place: list[Any], filters: Mapping[str, Any]) -> str:
    """A token for the row at `place` (sort values and id, as JSON) of one list with these filters."""
    return _signer(purpose).sign_object([place, _named(filters)])


def unseal(purpose: str, token: str, filters: Mapping[str, Any]) -> list[Any]:
    """The place that `seal` was given. CursorInvalid if the token is not ours, or of another list or other filters."""
    try:
        place, sealed = _signer(purpose).unsign_object(token)
    except (signing.BadSignature, ValueError) as error:
        raise CursorInvalid("Invalid cursor") from error
    if sealed != _named(filters):
        raise CursorInvalid("The cursor belongs to a list with other filters")
    return list(place)


@cache
def _signer(purpose: str) -> signing.Signer:
    return signing.Signer(salt=f"cursor.{purpose}")


def _named(filters: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in sorted(filters.items()) if value not in (None, "")}
