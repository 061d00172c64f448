"""A month that is over has one statement, and every entry of the ledger is in exactly one (contract 7)."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from apps.billing import services, statements
from apps.billing.models import EventType, LedgerEntry, Statement
from apps.kernel.clock import instant, now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.billing.activity import at, grant, told, use

pytestmark = pytest.mark.django_db

STARTED, PLANNED = EventType.LESSON_PLAY_CREATED, EventType.PLAN_PLAY_CREATED


def make_statements(client: Client, time: str) -> list[Statement]:
    with at(time), binding.bound(client.id):
        return statements.make_statements(client=client, now=now())


def figures(statement: Statement) -> tuple[int, ...]:
    return (
        statement.opening_balance,
        statement.granted,
        statement.spent,
        statement.reversed,
        statement.expired,
        statement.closing_balance,
    )


def reverse_first_debit(client: Client, time: str) -> None:
    with at(time), binding.bound(client.id):
        entry = LedgerEntry.objects.filter(kind="debit").order_by("sequence")[0]
        services.reverse_debit(client_id=client.id, entry_id=entry.id, reason="", author="root", now=now())


def test_a_statement_is_made_from_the_ledger_and_told(demo: Client) -> None:
    make.make_policy(demo, prices={STARTED: 3})
    grant(demo, "2026-04-30T23:00", 10)
    grant(demo, "2026-05-02T00:00", 20)
    grant(demo, "2026-05-03T00:00", 5, expires_at=datetime(2026, 5, 4, tzinfo=UTC))
    use(demo, "2026-05-05T00:00", times=4)
    use(demo, "2026-05-06T00:00", PLANNED)
    reverse_first_debit(demo, "2026-05-07T00:00")
    use(demo, "2026-06-01T00:00")
    april, may = make_statements(demo, "2026-06-01T00:10")
    assert figures(april) == (0, 10, 0, 0, 0, 10)
    assert figures(may) == (10, 25, 12, 3, 5, 21)
    assert may.events == {STARTED: {"events": 4, "credits": 12}, PLANNED: {"events": 1, "credits": 0}}
    assert told(demo, "billing.statement_made")[1] == {
        "period": "2026-05",
        "startsAt": "2026-05-01T00:00:00.000Z",
        "endsAt": "2026-06-01T00:00:00.000Z",
        "openingBalance": 10,
        "granted": 25,
        "spent": 12,
        "reversed": 3,
        "expired": 5,
        "closingBalance": 21,
        "events": {STARTED: {"events": 4, "credits": 12}, PLANNED: {"events": 1, "credits": 0}},
    }


def test_a_month_is_stated_once_and_not_before_it_is_over(demo: Client) -> None:
    grant(demo, "2026-05-02T00:00", 20)
    assert not make_statements(demo, "2026-06-01T00:09:59")
    assert len(make_statements(demo, "2026-06-01T00:10")) == 1
    assert not make_statements(demo, "2026-06-30T23:59")
    assert len(told(demo, "billing.statement_made")) == 1


def test_months_that_were_missed_follow_each_other(demo: Client) -> None:
    make.make_policy(demo, prices={STARTED: 1})
    grant(demo, "2025-11-02T00:00", 20)
    use(demo, "2025-12-31T23:59")
    use(demo, "2026-02-01T00:00", times=2)
    made = make_statements(demo, "2026-03-20T00:00")
    assert [(f"{row.period}", *figures(row)) for row in made] == [
        ("2025-11-01", 0, 20, 0, 0, 0, 20),
        ("2025-12-01", 20, 0, 1, 0, 0, 19),
        ("2026-01-01", 19, 0, 0, 0, 0, 19),
        ("2026-02-01", 19, 0, 2, 0, 0, 17),
    ]
    assert all(after.starts_at == before.ends_at for before, after in itertools.pairwise(made))


def test_a_client_without_credits_has_statements_of_the_months_in_which_it_did_something(demo: Client) -> None:
    use(demo, "2026-01-10T00:00")
    use(demo, "2026-03-10T00:00")
    assert [f"{row.period:%m}" for row in make_statements(demo, "2026-05-01T01:00")] == ["01", "03"]
    assert not make_statements(demo, "2026-06-01T01:00")


def test_a_client_that_has_done_nothing_is_told_nothing(demo: Client) -> None:
    assert not make_statements(demo, "2026-05-01T01:00")


def test_what_comes_to_the_ledger_late_is_in_the_next_statement(demo: Client) -> None:
    make.make_policy(demo, prices={STARTED: 1})
    grant(demo, "2026-05-02T00:00", 20)
    (may,) = make_statements(demo, "2026-06-01T00:10")
    use(demo, "2026-05-31T23:59")  # by a clock that is behind
    use(demo, "2026-06-02T00:00")
    (june,) = make_statements(demo, "2026-07-01T00:10")
    assert figures(may) == (0, 20, 0, 0, 0, 20)
    assert figures(june) == (20, 0, 2, 0, 0, 18)
    (july,) = make_statements(demo, "2026-08-01T00:10")
    assert figures(july) == (18, 0, 0, 0, 0, 18)


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("Pacific/Kiritimati", "2026-02-28T10:00:00.000Z", "2026-03-31T10:00:00.000Z"),
        ("Pacific/Niue", "2026-03-01T11:00:00.000Z", "2026-04-01T11:00:00.000Z"),
        ("America/New_York", "2026-03-01T05:00:00.000Z", "2026-04-01T04:00:00.000Z"),
        ("Europe/Berlin", "2026-02-28T23:00:00.000Z", "2026-03-31T22:00:00.000Z"),
    ],
)
def test_a_month_is_the_clients_own(demo: Client, zone: str, start: str, end: str) -> None:
    demo.time_zone = zone
    demo.save()
    begins, ends = datetime.fromisoformat(start), datetime.fromisoformat(end)
    for time, amount in ((begins - timedelta(seconds=1), 1), (begins, 10), (ends - timedelta(seconds=1), 100)):
        grant(demo, time.replace(tzinfo=None).isoformat(), amount)
    grant(demo, ends.replace(tzinfo=None).isoformat(), 1000)
    due = (ends + statements.GRACE).replace(tzinfo=None)
    (before,) = make_statements(demo, (due - timedelta(seconds=1)).isoformat())
    (made,) = make_statements(demo, due.isoformat())
    assert figures(before) == (0, 1, 0, 0, 0, 1)
    assert figures(made) == (1, 110, 0, 0, 0, 111)
    assert (instant(made.starts_at), instant(made.ends_at)) == (start, end)


def test_a_client_that_changes_its_zone_has_no_gap_between_its_months(demo: Client) -> None:
    grant(demo, "2026-05-02T00:00", 20)
    (may,) = make_statements(demo, "2026-06-01T00:10")
    grant(demo, "2026-06-01T02:00", 1)  # still May where it moves to
    demo.time_zone = "America/New_York"
    demo.save()
    (june,) = make_statements(demo, "2026-07-01T04:10")
    assert june.starts_at == may.ends_at
    assert figures(june) == (20, 1, 0, 0, 0, 21)
