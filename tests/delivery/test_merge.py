"""What devices tell ends in the same, whatever comes first, in how many parts, and how often (004 1a, contract 9)."""

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from apps.delivery.merge import ACTIVE, PAUSED, Known, Stamp, Write, known_of, merge, shown_states

HISTORIES = 10_000
DEVICES = ("", "dev_1", "dev_2")  # one of them has no name
SESSIONS = ("pls_1", "pls_2", "pls_3")
LESSONS = tuple(f"les_{number:02}" for number in range(1, 8))
ENDED = ("completed", "failed", "abandoned")
BEGINNING = datetime(2026, 4, 15, tzinfo=UTC)

History = list[tuple[str, Known]]
Merged = dict[str, Known]


def said(lamport: int, device: str, mutation: str, state: str, place: str, completed: Iterable[str], at: int) -> Known:
    stamp = Stamp(state in ENDED, lamport, device, mutation)
    return known_of(Write(stamp, state, place, BEGINNING + timedelta(seconds=at)), frozenset(completed))


def a_history(chance: random.Random) -> History:
    """Three devices and the server at some sessions of one place. A device tells by its own clock, which hears of
    others now and then; the server writes one later than all that the session has."""
    clocks = dict.fromkeys(DEVICES, 0)
    heard = dict.fromkeys(SESSIONS, 0)
    history: History = []
    for number in range(chance.randint(1, 12)):
        session, device = chance.choice(SESSIONS), chance.choice(DEVICES)
        state = chance.choice(ENDED) if chance.random() < 0.1 else chance.choice((ACTIVE, PAUSED))
        is_online = chance.random() < 0.3
        if chance.random() < 0.3:
            clocks[device] = max(clocks[device], *heard.values())
        lamport = (heard[session] if is_online else clocks[device]) + 1
        clocks[device] = max(clocks[device], lamport)
        heard[session] = max(heard[session], lamport)
        done = chance.sample(LESSONS, chance.randint(0, 3))
        name = "" if is_online else f"cm_{chance.randrange(10**6)}_{number}"
        history.append(
            (session, said(lamport, device, name, state, chance.choice(LESSONS), done, chance.randint(0, 99)))
        )
    return history


def told(history: Iterable[tuple[str, Known]], before: Merged | None = None) -> Merged:
    """One after the other."""
    merged = dict(before or {})
    for session, write in history:
        merged[session] = merge(merged[session], write) if session in merged else write
    return merged


def in_parts(history: Sequence[tuple[str, Known]], chance: random.Random) -> Merged:
    """In another order, with repeats, and in parts that are merged on their own before they meet."""
    shuffled = [*history, *chance.choices(history, k=chance.randint(0, len(history)))]
    chance.shuffle(shuffled)
    parts = []
    while shuffled:
        size = chance.randint(1, len(shuffled))
        parts.append(told(shuffled[:size]))
        shuffled = shuffled[size:]
    chance.shuffle(parts)
    return reduce(lambda one, other: told(other.items(), one), parts)


def shown(merged: Merged) -> dict[str, str]:
    return shown_states(merged)


def test_ten_thousand_histories_of_three_devices() -> None:
    chance = random.Random(7)
    for _ in range(HISTORIES):
        history = a_history(chance)
        merged = told(history)
        again = in_parts(history, chance)
        assert again == merged
        assert shown(again) == shown(merged)
        assert told(history, merged) == merged
        assert_is_what_was_told(history, merged)


def assert_is_what_was_told(history: History, merged: Merged) -> None:
    for session, known in merged.items():
        writes = [write for name, write in history if name == session]
        assert known.completed == frozenset().union(*(write.completed for write in writes))
        ends = [write.last for write in writes if write.last.state in ENDED]
        later = max(ends or [write.last for write in writes], key=lambda write: write.stamp[1:])
        assert known.last == later
        assert known.lamport == max(write.lamport for write in writes)
        assert known.began_at == min(write.last.at for write in writes)
        assert known.active_at == max(write.last.at for write in writes)
    states = shown(merged)
    actives = [session for session, state in states.items() if state == ACTIVE]
    said = [(write.last.stamp, name) for name, write in history if write.last.state == ACTIVE]
    holder = max(said)[1] if said else ""
    assert actives == ([holder] if said and merged[holder].last.state == ACTIVE else [])
    for session, known in merged.items():
        assert states[session] in (known.last.state, PAUSED)
        assert states[session] == known.last.state or known.last.state == ACTIVE


def test_no_write_but_that_one_is_active_changes_what_is_shown_of_others() -> None:
    """So an online change of one session needs no look at the others."""
    chance = random.Random(13)
    for _ in range(1_000):
        merged: Merged = {}
        for session, write in a_history(chance):
            before = shown(merged)
            merged = told([(session, write)], merged)
            if write.last.state != ACTIVE:
                now = shown(merged)
                assert {name: now[name] for name in before if name != session} == {
                    name: state for name, state in before.items() if name != session
                }


def test_what_is_completed_never_shrinks_on_the_way() -> None:
    chance = random.Random(11)
    for _ in range(1_000):
        merged: Merged = {}
        for session, write in a_history(chance):
            before = merged.get(session)
            merged = told([(session, write)], merged)
            assert before is None or merged[session].completed >= before.completed
            assert before is None or not before.last.stamp.is_terminal or merged[session].last.stamp.is_terminal


writes = st.builds(
    said,
    lamport=st.integers(1, 2**53 - 1) | st.integers(1, 3),
    device=st.sampled_from(DEVICES),
    mutation=st.uuids().map(str),
    state=st.sampled_from((ACTIVE, PAUSED, *ENDED)),
    place=st.sampled_from(LESSONS),
    completed=st.sets(st.sampled_from(LESSONS)),
    at=st.integers(0, 10**6),
)
knowledge = st.lists(writes, min_size=1, max_size=4).map(lambda each: reduce(merge, each))


@given(knowledge, knowledge, knowledge)
def test_a_merge_is_a_join(one: Known, other: Known, third: Known) -> None:
    assert merge(one, other) == merge(other, one)
    assert merge(merge(one, other), third) == merge(one, merge(other, third))
    assert merge(one, one) == one
    assert merge(merge(one, other), other) == merge(one, other)


@given(st.dictionaries(st.sampled_from(SESSIONS), writes, min_size=1), st.randoms(use_true_random=False))
def test_one_at_most_is_shown_active(group: dict[str, Known], chance: random.Random) -> None:
    names = list(group)
    chance.shuffle(names)
    assert shown({name: group[name] for name in names}) == shown(group)
    assert list(shown(group).values()).count(ACTIVE) <= 1


# --- one rule each ---


def both(*writes: Known) -> Known:
    return reduce(merge, writes)


def test_the_higher_lamport_time_wins() -> None:
    early, late = said(1, "dev_2", "cm_z", ACTIVE, "les_07", [], 50), said(2, "", "cm_a", PAUSED, "les_01", [], 10)
    assert both(late, early).last == late.last


def test_of_one_lamport_time_the_greater_device_wins_and_then_the_greater_mutation() -> None:
    nameless, named = said(1, "", "cm_z", ACTIVE, "les_01", [], 0), said(1, "dev_1", "cm_a", ACTIVE, "les_02", [], 0)
    assert both(named, nameless).last == named.last
    greater = said(1, "dev_1", "cm_b", ACTIVE, "les_03", [], 0)
    assert both(greater, named).last == greater.last


def test_an_end_wins_over_all_that_lives_and_the_later_end_over_the_earlier() -> None:
    live = said(100, "dev_2", "cm_a", ACTIVE, "les_07", ["les_06"], 100)
    end, later = said(2, "", "cm_b", "completed", "les_02", [], 2), said(3, "", "cm_c", "abandoned", "les_03", [], 3)
    assert both(end, live).last == end.last
    assert both(later, live, end).last == later.last
    assert (both(end, live).lamport, both(end, live).completed) == (100, frozenset({"les_06"}))


def test_of_two_that_were_told_to_be_active_the_later_is() -> None:
    first, second = said(4, "", "cm_a", ACTIVE, "les_01", [], 0), said(5, "", "cm_b", ACTIVE, "les_01", [], 0)
    ended = said(9, "", "cm_c", "completed", "les_01", [], 0)
    assert shown({"a": first, "b": second, "c": ended}) == {"a": PAUSED, "b": ACTIVE, "c": "completed"}


def test_who_was_left_for_a_later_one_does_not_come_back_when_that_is_left() -> None:
    first, second = said(4, "", "cm_a", ACTIVE, "les_01", [], 0), said(5, "", "cm_b", ACTIVE, "les_01", [], 0)
    for state in (PAUSED, *ENDED):
        left = both(second, said(6, "", "cm_c", state, "les_01", [], 0))
        assert shown({"a": first, "b": left}) == {"a": PAUSED, "b": state}
    again = both(first, said(6, "", "cm_d", ACTIVE, "les_01", [], 0))
    assert shown({"a": again, "b": second}) == {"a": ACTIVE, "b": PAUSED}
