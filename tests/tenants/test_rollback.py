"""What was done outside of the database is undone with the transaction, to the savepoint (apps.tenants.postgresql)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from apps.tenants import binding

pytestmark = pytest.mark.django_db(transaction=True)


def on_rollback(undo: Callable[[], None]) -> None:
    """Of the connection that the test has: one that was made for a test before may have been replaced."""
    connection.on_rollback(undo)  # type: ignore[attr-defined]


class Failed(Exception):  # noqa: N818
    pass


@contextmanager
def undone(**options: Any) -> Iterator[None]:
    with suppress(Failed), transaction.atomic(**options):
        yield
        raise Failed


@pytest.fixture
def done() -> list[str]:
    return []


def test_a_rollback_undoes_the_last_first(done: list[str]) -> None:
    with undone():
        on_rollback(lambda: done.append("first"))
        on_rollback(lambda: done.append("second"))
        assert done == []
    assert done == ["second", "first"]


def test_a_commit_undoes_nothing_and_forgets(done: list[str]) -> None:
    with binding.atomic():
        on_rollback(lambda: done.append("committed"))
    with undone():
        pass
    assert done == []


def test_a_savepoint_undoes_its_own_and_what_was_within(done: list[str]) -> None:
    with binding.atomic():
        on_rollback(lambda: done.append("outer"))
        with undone():
            on_rollback(lambda: done.append("inner"))
            with transaction.atomic():
                on_rollback(lambda: done.append("innermost"))
    assert done == ["innermost", "inner"]


def test_without_a_savepoint_the_whole_transaction_is_undone(done: list[str]) -> None:
    with suppress(transaction.TransactionManagementError), undone():
        with undone(savepoint=False):
            on_rollback(lambda: done.append("inner"))
        assert done == []
    assert done == ["inner"]


def test_one_that_fails_stops_neither_the_others_nor_hides_the_reason(done: list[str]) -> None:
    def fail() -> None:
        raise OSError("gone")

    with pytest.raises(Failed), binding.atomic():  # noqa: PT012
        on_rollback(lambda: done.append("undone"))
        on_rollback(fail)
        raise Failed
    assert done == ["undone"]


def test_a_lost_connection_undoes_nothing_for_the_commit_may_have_arrived(done: list[str]) -> None:
    with suppress(DatabaseError), binding.atomic():
        on_rollback(lambda: done.append("undone"))
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.close()
    assert done == []
    with undone():
        pass
    assert done == []


def test_outside_of_a_transaction_there_is_nothing_to_undo() -> None:
    with pytest.raises(RuntimeError):
        on_rollback(lambda: None)


def test_the_last_steps_are_taken_at_the_end_of_the_outermost_block(done: list[str]) -> None:
    with binding.atomic():
        with binding.atomic():
            binding.before_commit(lambda: done.append("last"))
            done.append("inner")
        done.append("outer")
    assert done == ["inner", "outer", "last"]


def test_a_last_step_that_fails_undoes_everything(done: list[str], gofa: object) -> None:
    def fail() -> None:
        raise Failed

    with suppress(Failed), binding.atomic():
        binding.on_rollback(lambda: done.append("undone"))
        binding.before_commit(fail)
        done.append("not yet")
    with binding.atomic():
        done.append("next")
    assert done == ["not yet", "undone", "next"]


def test_a_last_step_is_forgotten_with_its_savepoint(done: list[str]) -> None:
    with binding.atomic():
        with undone():
            binding.before_commit(lambda: done.append("forgotten"))
        binding.before_commit(lambda: done.append("taken"))
    assert done == ["taken"]


def test_a_last_step_outside_of_any_block_is_taken_at_once(done: list[str]) -> None:
    binding.before_commit(lambda: done.append("now"))
    assert done == ["now"]
