"""Ids are a prefix and a ULID (contract 3): new, in order for rows, and telling when they were made."""

import random
import time
from collections.abc import Callable

import pytest
from ulid import ULID

from apps.kernel import ids
from apps.kernel.ids import new_id, passing_id


@pytest.fixture(autouse=True)
def no_id_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was made on a journey to the future keeps all later ones there."""
    monkeypatch.setattr(ids, "_last", 0)


def test_ids_of_rows_sort_by_creation_even_within_a_millisecond() -> None:
    made = [new_id("lpl_") for _ in range(1_000)]
    assert made == sorted(set(made))


@pytest.mark.parametrize("make", [new_id, passing_id])
def test_an_id_is_a_prefix_and_a_ulid_of_now(make: Callable[[str], str]) -> None:
    before = time.time_ns() // 1_000_000
    prefix, _, text = make("req_").partition("_")
    assert prefix == "req"
    assert before <= ULID.from_str(text).milliseconds <= time.time_ns() // 1_000_000


def test_passing_ids_are_spelt_as_the_library_spells(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [0, 1, 31, 32, 2**80 - 1, 0x0123456789ABCDEF0123]
    for number in numbers:
        monkeypatch.setattr(random, "getrandbits", lambda bits, number=number: number)
        text = passing_id("req_").removeprefix("req_")
        assert text == str(ULID.from_str(text))
        assert int(ULID.from_str(text)) & 2**80 - 1 == number


def test_passing_ids_are_new_every_time() -> None:
    assert len({passing_id("req_") for _ in range(1_000)}) == 1_000
