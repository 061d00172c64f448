"""The days of a client add up to its counters, whatever was missed (contract 7)."""

from datetime import date

import pytest

from apps.billing import rollups, tasks
from apps.billing.models import EventType, UsageDay, UsageEvent
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.billing.activity import at, grant, use

pytestmark = pytest.mark.django_db

STARTED, PLANNED = EventType.LESSON_PLAY_CREATED, EventType.PLAN_PLAY_CREATED


def days(client_id: str = "demo") -> list[tuple[str, str, int, int]]:
    with binding.bound(client_id):
        rows = UsageDay.objects.for_client(client_id).order_by("day", "event_type")
        return [(f"{row.day}", row.event_type, row.events, row.credits) for row in rows]


def roll_up(client: Client, time: str) -> None:
    with at(time), binding.bound(client.id):
        rollups.roll_up(client=client, now=now())


def test_the_events_of_a_day_are_added_up_with_what_they_cost(demo: Client) -> None:
    make.make_policy(demo, prices={STARTED: 3})
    grant(demo, "2026-05-01T00:00", 100)
    use(demo, "2026-05-04T23:59:59.999", times=2)
    use(demo, "2026-05-05T00:00")
    use(demo, "2026-05-05T12:00", PLANNED)
    roll_up(demo, "2026-05-05T13:00")
    assert days() == [
        ("2026-05-04", STARTED, 2, 6),
        ("2026-05-05", STARTED, 1, 3),
        ("2026-05-05", PLANNED, 1, 0),
    ]


def test_a_day_is_written_again_while_there_is_something_new(demo: Client) -> None:
    use(demo, "2026-05-04T10:00")
    roll_up(demo, "2026-05-04T10:01")
    use(demo, "2026-05-04T23:59")
    use(demo, "2026-05-05T00:01")
    for _ in range(2):
        roll_up(demo, "2026-05-05T00:02")
    assert days() == [("2026-05-04", STARTED, 2, 0), ("2026-05-05", STARTED, 1, 0)]


def test_nothing_new_is_two_small_reads(demo: Client, django_assert_num_queries: object) -> None:
    use(demo, "2026-05-04T10:00")
    roll_up(demo, "2026-05-04T10:01")
    # Besides: the transaction's two, the turn, and the time that it may take.
    with at("2026-05-04T10:03"), binding.bound("demo"), django_assert_num_queries(2 + 4):  # type: ignore[operator]
        rollups.roll_up(client=demo, now=now())


def test_what_a_long_pause_has_missed_is_made_up_for(demo: Client) -> None:
    missed = ["2025-11-30", "2026-02-28", "2026-05-01", "2026-05-09", "2026-05-20"]
    for day in missed:
        use(demo, f"{day}T10:00")
    roll_up(demo, "2026-05-20T10:01")
    assert [day for day, *_ in days()] == missed


@pytest.mark.parametrize(
    ("zone", "times", "expected"),
    [
        ("Pacific/Kiritimati", ("2026-05-31T09:59:59", "2026-05-31T10:00:00"), ("2026-05-31", "2026-06-01")),
        ("Pacific/Niue", ("2026-06-01T10:59:59", "2026-06-01T11:00:00"), ("2026-05-31", "2026-06-01")),
        ("Asia/Kathmandu", ("2026-05-31T18:14:59", "2026-05-31T18:15:00"), ("2026-05-31", "2026-06-01")),
        # 8 March has 23 hours there, 1 November 25.
        ("America/New_York", ("2026-03-08T04:59:59", "2026-03-08T05:00:00"), ("2026-03-07", "2026-03-08")),
        ("America/New_York", ("2026-03-09T03:59:59", "2026-03-09T04:00:00"), ("2026-03-08", "2026-03-09")),
        ("America/New_York", ("2026-11-02T04:59:59", "2026-11-02T05:00:00"), ("2026-11-01", "2026-11-02")),
    ],
)
def test_a_day_is_the_clients_own(demo: Client, zone: str, times: tuple[str, ...], expected: tuple[str, ...]) -> None:
    demo.time_zone = zone
    demo.save()
    for time in times:
        use(demo, time)
    roll_up(demo, times[-1])
    assert [day for day, *_ in days()] == list(expected)


def test_a_client_that_changes_its_zone_keeps_every_event_once_and_in_its_month(demo: Client) -> None:
    use(demo, "2026-05-01T01:00")  # the last day of April where it moves to
    use(demo, "2026-05-30T02:00")  # the day before
    use(demo, "2026-05-30T10:00")
    roll_up(demo, "2026-05-30T23:30")
    assert [(day, events) for day, _, events, _ in days()] == [("2026-05-01", 1), ("2026-05-30", 2)]
    demo.time_zone = "America/New_York"
    demo.save()
    use(demo, "2026-05-31T23:40")
    roll_up(demo, "2026-05-31T23:45")
    assert [(day, events) for day, _, events, _ in days()] == [
        ("2026-05-01", 1),
        ("2026-05-29", 1),
        ("2026-05-30", 1),
        ("2026-05-31", 1),
    ]


def test_what_somebody_wrote_by_hand_is_put_right(demo: Client) -> None:
    use(demo, "2026-05-04T10:00")
    with binding.bound("demo"):
        UsageDay.objects.create(client=demo, day=date(2026, 5, 2), event_type=STARTED, events=7, credits=0)
    roll_up(demo, "2026-05-10T10:00")
    assert days() == [("2026-05-04", STARTED, 1, 0)]


def test_every_client_has_its_turn_whatever_becomes_of_another(
    demo: Client, acme: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(demo, "2026-05-04T10:00")
    use(acme, "2026-05-04T10:00")
    roll_up_one = rollups.roll_up

    def fail_for_acme(*, client: Client, **given: object) -> None:
        if client.id == "acme":
            raise RuntimeError
        roll_up_one(client=client, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(rollups, "roll_up", fail_for_acme)
    with at("2026-05-04T11:00"):
        tasks.roll_up_usage()
    assert (len(days("demo")), len(days("acme"))) == (1, 0)
    with binding.bound("acme"):
        assert UsageEvent.objects.count() == 1
