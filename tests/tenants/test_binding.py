"""The tenant on a connection is always the one that is bound (quality.md, fact 5)."""

import random
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.utils import ProgrammingError

from apps.tenants import binding
from apps.tenants.models import Client, EndUser

ROOT = Path(__file__).resolve().parents[2]
# Each has `client_id` and is no tenant's: none so far.
WITHOUT_ISOLATION: set[str] = set()


class Undo(Exception):  # noqa: N818 - it undoes, nothing is wrong
    pass


def seen() -> list[str]:
    return sorted(EndUser.objects.values_list("uid", flat=True))


def test_nobody_bound_sees_nothing(ada: EndUser, dan: EndUser) -> None:
    assert seen() == []


def test_a_bound_client_sees_its_own(ada: EndUser, dan: EndUser) -> None:
    with binding.bound("demo"):
        assert seen() == ["ada"]
    with binding.bound("acme"):
        assert seen() == ["dan"]
    with binding.bound(binding.ALL_CLIENTS):
        assert seen() == ["ada", "dan"]


def test_a_client_cannot_write_a_row_of_another(ada: EndUser, acme: Client) -> None:
    with binding.bound("demo"), pytest.raises(ProgrammingError), transaction.atomic():
        EndUser.objects.create(client=acme, uid="smuggled")
    with binding.bound("demo"), pytest.raises(ProgrammingError), transaction.atomic():
        EndUser.objects.filter(pk=ada.pk).update(client=acme)


def test_a_client_cannot_change_or_take_away_rows_of_another(ada: EndUser, dan: EndUser) -> None:
    with binding.bound("demo"):
        assert EndUser.objects.filter(pk=dan.pk).update(uid="stolen") == 0
        assert EndUser.objects.filter(pk=dan.pk).delete()[0] == 0
    with binding.bound("acme"):
        assert seen() == ["dan"]


@pytest.mark.django_db(transaction=True)
def test_a_rollback_does_not_leave_another_tenant_behind(ada: EndUser, dan: EndUser) -> None:
    with binding.bound("acme"):
        assert seen() == ["dan"]

    def look_and_undo() -> None:
        with transaction.atomic(), binding.bound("demo"):
            assert seen() == ["ada"]
            raise Undo

    with pytest.raises(Undo):
        look_and_undo()
    with binding.bound("demo"):
        assert seen() == ["ada"]
    assert seen() == []


@pytest.mark.django_db(transaction=True)
def test_a_killed_backend_is_told_anew(ada: EndUser, dan: EndUser) -> None:
    with binding.bound("demo"):
        assert seen() == ["ada"]
        with pytest.raises(OperationalError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        connection.close()
        assert seen() == ["ada"]
    with binding.bound("acme"):
        assert seen() == ["dan"]


def step(dice: random.Random, depth: int = 0) -> None:
    """Bind one of four, look, and perhaps do it again inside a transaction or savepoint that perhaps rolls back."""
    uids = {"demo": ["ada"], "acme": ["dan"], binding.NO_CLIENT: [], binding.ALL_CLIENTS: ["ada", "dan"]}
    client = dice.choice(list(uids))
    with binding.bound(client):
        assert seen() == uids[client]
        if depth < 3 and dice.random() < 0.5:
            try:
                opened = binding.atomic() if dice.random() < 0.3 else transaction.atomic()
                with opened:
                    for _ in range(dice.randint(0, 3)):
                        step(dice, depth + 1)
                    if dice.random() < 0.4:
                        raise Undo
            except Undo:
                pass
            assert seen() == uids[client]
    if depth == 0 and dice.random() < 0.02:
        with pytest.raises(OperationalError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        connection.close()


def assert_never_meet(rounds: int, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(rounds):
        step(dice)


@pytest.mark.django_db(transaction=True)
def test_two_tenants_interleaved_on_one_connection_never_meet(ada: EndUser, dan: EndUser) -> None:
    assert_never_meet(400, seed=1)


@pytest.mark.soak
@pytest.mark.django_db(transaction=True)
def test_two_tenants_interleaved_ten_thousand_times_never_meet(ada: EndUser, dan: EndUser) -> None:
    assert_never_meet(10_000, seed=random.SystemRandom().randrange(2**32))


@pytest.mark.django_db(transaction=True)
def test_a_bound_transaction_tells_nothing_inside(ada: EndUser) -> None:
    """The pre-told tenant costs no statement in the transaction; an untold one is told for each."""
    told: list[str] = []

    def listen(query: str, *params: Any) -> Any:
        told.append(query)
        return execute(query, *params)

    with binding.bound("demo"), binding.atomic():
        raw = connection.connection
        execute = raw.execute
        raw.execute = listen
        assert seen() == ["ada"]
        assert seen() == ["ada"]
        del raw.execute
    assert told == []


def test_every_table_with_a_client_is_isolated_and_forced(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AND EXISTS"
            " (SELECT FROM pg_policy WHERE polrelid = c.oid)"
            " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relkind IN ('r', 'p') AND a.attname = 'client_id' AND c.relnamespace = 'public'::regnamespace"
        )
        tables = dict(cursor.fetchall())
    assert len(tables) > 5
    assert {name for name, isolated in tables.items() if not isolated} == WITHOUT_ISOLATION


def test_no_view_shows_what_policies_hide(db: None) -> None:
    """A materialized view, or a view that runs as its owner, goes past row-level security."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace"
        )
        assert cursor.fetchall() == []


def test_the_role_of_the_application_is_held_to_the_policies(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False)


def test_no_source_goes_past_the_wrapper() -> None:
    """Raw psycopg cursors and `copy` would see the last tenant."""
    past = re.compile(r"\.connection\.cursor\(|\.copy\(\"COPY|copy_expert|psycopg\.connect\(")
    allowed = {"apps/tenants/binding.py", "apps/ops/engines.py", "apps/ops/postgres.py"}
    found = [
        str(path.relative_to(ROOT))
        for folder in ("apps", "gofa")
        for path in (ROOT / folder).rglob("*.py")
        if past.search(path.read_text())
    ]
    assert set(found) <= allowed
