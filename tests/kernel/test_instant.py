"""How a time is told: RFC 3339, UTC, milliseconds, `Z` (contract 3)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from apps.kernel.clock import instant


@pytest.mark.parametrize(
    ("time", "told"),
    [
        (datetime(2026, 3, 1, 10, 0, tzinfo=UTC), "2026-03-01T10:00:00.000Z"),
        (datetime(2026, 3, 1, 10, 0, 0, 999_999, tzinfo=UTC), "2026-03-01T10:00:00.999Z"),
        (datetime(2026, 3, 1, 1, 0, tzinfo=timezone(timedelta(hours=8))), "2026-02-28T17:00:00.000Z"),
        (datetime(7, 1, 2, tzinfo=UTC), "0007-01-02T00:00:00.000Z"),
        (None, None),
    ],
)
def test_a_time_is_told_in_utc_with_milliseconds(time: datetime | None, told: str | None) -> None:
    assert instant(time) == told
