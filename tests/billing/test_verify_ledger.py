"""manage.py verify_ledger, and the nightly run: silent while all adds up, one line for each thing that does not."""

import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import structlog
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from apps.billing import tasks
from apps.billing.models import LedgerEntry
from apps.billing.services import book_expiries, reverse_debit
from apps.events.models import OutboxEvent
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ledger_alone")]

TABLES = (
    "billing_ledgerentry",
    "billing_creditaccount",
    "billing_usageevent",
    "billing_policyrevision",
)
START = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def busy(demo: Client) -> Client:
    """A client to which all has happened that can happen to credits."""
    with time_machine.travel(START, tick=False) as clock:
        make.make_charge(demo, "lpl_free")
        make.make_policy(
            demo, quotas={"lesson_play.created": 10}, prices={"lesson_play.created": 3}, allow_negative=True
        )
        make.make_grant(demo, 10, reference="first", expires_at=now() + timedelta(hours=1))
        make.make_charge(demo, "lpl_1")
        clock.shift(timedelta(hours=2))
        with binding.bound(demo.id):
            book_expiries(client_id=demo.id, now=now())
        make.make_charge(demo, "lpl_2")
        make.make_charge(demo, "run_1", "routine_run.created")
        with binding.bound(demo.id):
            debit = LedgerEntry.objects.filter(kind="debit").latest("sequence")
            reverse_debit(client_id=demo.id, entry_id=debit.id, reason="by mistake", author="root", now=now())
        make.make_charge(demo, "lpl_3")
        make.make_grant(demo, 20, reference="second")
        make.make_policy(demo)
    return demo


def verified(*options: str) -> tuple[int, list[str]]:
    """The exit code, and the lines without ids."""
    printed = StringIO()
    try:
        call_command("verify_ledger", *options, stdout=printed)
        code = 0
    except CommandError as error:
        code = error.returncode
    return code, [re.sub(r"\b(led|use|grant)_\w{26}", r"\1_…", line) for line in printed.getvalue().splitlines()]


def tamper(*statements: str) -> None:
    """Past the triggers, as somebody could who owns the tables."""
    with binding.bound(binding.ALL_CLIENTS), transaction.atomic(), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_all_adds_up(busy: Client, acme: Client) -> None:
    make.make_grant(acme, 5)
    assert verified() == (0, [])
    assert verified("--client", "demo") == (0, [])


def test_a_platform_without_credits_adds_up(demo: Client) -> None:
    make.make_charge(demo, "lpl_1")
    assert verified() == (0, [])


@pytest.mark.parametrize(
    ("statement", "lines"),
    [
        (
            "UPDATE billing_creditaccount SET credits = credits + 1 WHERE client_id = 'demo'",
            [
                "demo: the account has 18 credits, its ledger 17",
                "demo: its grants have 17 credits left, the account 18",
            ],
        ),
        (
            "UPDATE billing_creditaccount SET entries = entries + 1",
            ["demo: the account has 8 entries, its ledger 7"],
        ),
        (
            "UPDATE billing_creditaccount SET received = received - 1",
            ["demo: the account has 22 credits received, its ledger 23"],
        ),
        (
            "UPDATE billing_ledgerentry SET balance_after = balance_after + 1 WHERE sequence = 7",
            ["demo: entry led_… leaves a balance of 18, not 17"],
        ),
        (
            "UPDATE billing_ledgerentry SET sequence = 8 WHERE sequence = 7",
            ["demo: entry led_… has sequence 8, after 6"],
        ),
        (
            "UPDATE billing_creditlot SET remaining = remaining - 1 WHERE is_open",
            ["demo: its grants have 16 credits left, the account 17"],
        ),
        (
            "UPDATE billing_creditlot SET credits = 21 WHERE is_open",
            ["demo: credits grant_… are 21, 17 left, and entry led_… brought 20"],
        ),
        (
            "DELETE FROM billing_creditlot WHERE reference = 'first'",
            ["demo: grant led_… brought no credits"],
        ),
        (
            "UPDATE billing_creditlot SET entry_id = (SELECT id FROM billing_ledgerentry WHERE sequence = 2)"
            " WHERE reference = 'first'",
            [
                "demo: credits grant_… have no entry that brought them",
                "demo: grant led_… brought no credits",
            ],
        ),
        (
            "UPDATE billing_ledgerentry SET activity_id = 'lpl_9' WHERE kind = 'reversal'",
            ["demo: reversal led_… does not give back what debit led_… took"],
        ),
        (
            "UPDATE billing_usageevent SET price = 2 WHERE activity_id = 'lpl_1'",
            ["demo: usage event use_… and debit led_… differ"],
        ),
        (
            "UPDATE billing_usageevent SET price = 0, entry_id = NULL WHERE activity_id = 'lpl_1'",
            ["demo: debit led_… is for no usage event"],
        ),
        (
            "UPDATE billing_usageevent SET price = 3,"
            " entry_id = (SELECT id FROM billing_ledgerentry WHERE sequence = 1) WHERE activity_id = 'run_1'",
            ["demo: usage event use_… was not debited"],
        ),
        (
            "UPDATE billing_usageevent SET key = 'lesson_play.created:lpl_9' WHERE activity_id = 'lpl_1'",
            ["demo: usage event use_… has the key lesson_play.created:lpl_9"],
        ),
        (
            "UPDATE billing_usagecounter SET used = used + 1 WHERE event_type = 'lesson_play.created' AND shard = 0",
            ["demo: lesson_play.created of 2026-05: counted 5, happened 4"],
        ),
        (
            "DELETE FROM billing_usagecounter WHERE event_type = 'routine_run.created'",
            ["demo: routine_run.created of 2026-05: counted 0, happened 1"],
        ),
        (
            "UPDATE billing_policyrevision SET allow_negative = false",
            ["demo: entry led_… leaves a balance of -3, which no policy allowed"] * 2,
        ),
    ],
)
def test_what_differs_is_printed(busy: Client, statement: str, lines: list[str]) -> None:
    tamper(statement)
    assert verified() == (1, lines)


def test_an_entry_that_is_gone_is_missed(busy: Client) -> None:
    tamper(
        "UPDATE billing_usageevent SET price = 0, entry_id = NULL WHERE activity_id = 'lpl_3'",
        "DELETE FROM billing_ledgerentry WHERE activity_id = 'lpl_3'",
    )
    code, lines = verified()
    assert code == 1
    assert "demo: entry led_… has sequence 7, after 5" in lines
    assert "demo: the account has 7 entries, its ledger 6" in lines


def test_one_client_is_looked_at_alone(busy: Client, acme: Client) -> None:
    make.make_grant(acme, 5)
    tamper("UPDATE billing_creditaccount SET received = 6 WHERE client_id = 'acme'")
    assert verified("--client", "demo") == (0, [])
    assert verified("--client", "acme") == (1, ["acme: the account has 6 credits received, its ledger 5"])
    assert verified() == (1, ["acme: the account has 6 credits received, its ledger 5"])


def test_an_unknown_client_is_said_to_be_none(demo: Client) -> None:
    with pytest.raises(CommandError, match="no client is named 'nowhere'"):
        call_command("verify_ledger", "--client", "nowhere")


def test_the_nightly_run_tells_the_platform(busy: Client) -> None:
    tamper("UPDATE billing_creditaccount SET received = 0")
    with structlog.testing.capture_logs() as logged:
        tasks.verify_ledger()
    lines = ["demo: the account has 0 credits received, its ledger 23"]
    assert [(line["event"], line["log_level"], line["lines"]) for line in logged] == [
        ("ledger_differs", "error", lines)
    ]
    with binding.bound("gofa"):
        event = OutboxEvent.objects.get(event_type="billing.ledger_differs")
    assert (event.client_id, event.payload) == ("gofa", {"differences": 1, "lines": lines})


def test_the_nightly_run_says_nothing_when_all_adds_up(busy: Client) -> None:
    tasks.verify_ledger()
    with binding.bound(binding.ALL_CLIENTS):
        assert not OutboxEvent.objects.filter(event_type="billing.ledger_differs").exists()


def test_it_is_asked_every_night() -> None:
    from gofa.celery import SCHEDULE

    line: Any = SCHEDULE["verify the ledger"]
    assert (line["task"], line["schedule"].run_every) == (tasks.verify_ledger.name, timedelta(hours=24))
