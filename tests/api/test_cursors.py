"""Cursors are opaque, exact, tamper-evident, and bound to their list."""

import pytest

from apps.api import cursors

PLACE = ["2026-05-09T00:00:00.123456+00:00", 0.1 + 0.2, None, "lpl_01"]
FILTERS = {"userId": "ada", "lessonId": None}


def test_a_cursor_gives_back_the_very_place() -> None:
    assert cursors.unseal("plays", cursors.seal("plays", PLACE, FILTERS), {"userId": "ada"}) == PLACE


def test_a_cursor_of_other_filters_is_refused() -> None:
    token = cursors.seal("plays", PLACE, FILTERS)
    with pytest.raises(cursors.CursorInvalid):
        cursors.unseal("plays", token, {"userId": "ben"})


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(cursors.CursorInvalid):
        cursors.unseal("sessions", cursors.seal("plays", PLACE, FILTERS), FILTERS)


def test_no_character_of_a_cursor_can_be_changed() -> None:
    token = cursors.seal("plays", PLACE, FILTERS)
    for place, character in enumerate(token):
        changed = token[:place] + ("A" if character != "A" else "B") + token[place + 1 :]
        with pytest.raises(cursors.CursorInvalid):
            cursors.unseal("plays", changed, FILTERS)


@pytest.mark.parametrize("token", ["", ":", "a:b", "é", "\x00", "x" * 10_000])
def test_what_is_no_cursor_is_refused(token: str) -> None:
    with pytest.raises(cursors.CursorInvalid):
        cursors.unseal("plays", token, FILTERS)
