"""What time is it? Read once per service and passed down."""

from datetime import UTC, datetime


def now() -> datetime:
    """The instant in UTC, cut to the milliseconds that the wire shows, so that what is stored is what was told."""
    instant = datetime.now(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
