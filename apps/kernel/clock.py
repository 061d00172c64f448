"""What time is it, and how is a time told? Read once per service and passed down (contract 3)."""

from datetime import UTC, datetime
from typing import overload

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> datetime:
    """The instant in UTC, cut to the milliseconds that the wire shows, so that what is stored is what was told."""
    instant = datetime.now(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


@overload
def instant(time: datetime) -> str: ...
@overload
def instant(time: datetime | None) -> str | None: ...
def instant(time: datetime | None) -> str | None:
    """RFC 3339, UTC, milliseconds, `Z`."""
    if time is None:
        return None
    # Not strftime: it writes a year before 1000 with fewer than four digits.
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def seconds_and_nanoseconds(time: datetime) -> dict[str, int]:
    """002's `{_seconds, _nanoseconds}`."""
    since = time - _EPOCH
    return {"_seconds": since.days * 86_400 + since.seconds, "_nanoseconds": since.microseconds * 1000}
