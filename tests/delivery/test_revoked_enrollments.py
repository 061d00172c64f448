"""The job of the minute: sessions of revoked enrollments fail (contract 9)."""

from typing import Any

import pytest

from apps.delivery.models import Enrollment, PlaySession
from apps.delivery.services import failing, sessions
from apps.delivery.tasks import fail_sessions_of_revoked_enrollments
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import EndUser
from gofa.celery import SCHEDULE
from tests.delivery.walking import assert_unchanged, events, history, make_session, stored

pytestmark = pytest.mark.django_db


def revoke(*sessions: PlaySession) -> None:
    with binding.bound(binding.ALL_CLIENTS):
        ids = [session.enrollment_id for session in sessions]
        Enrollment.objects.filter(pk__in=ids).update(status="revoked", revoked_at=now())


def test_live_sessions_of_every_client_fail(ada: EndUser, ben: EndUser, dan: EndUser) -> None:
    active, paused, theirs = make_session(ada), make_session(ada, state="paused"), make_session(dan)
    ended, spared = make_session(ada, state="completed"), make_session(ben)
    revoke(active, paused, theirs, ended)
    fail_sessions_of_revoked_enrollments()
    for session in (active, paused, theirs):
        now_ = stored(session.id)
        assert (now_.state, now_.reason, now_.version) == ("failed", "enrollment_revoked", 2)
        assert now_.ended_at is not None
        assert history(session.id) == [(2, "failed", "")]
        assert events(session.id) == ["failed"]
    for session in (ended, spared):
        assert_unchanged(session)
    # Nothing is left for the next minute.
    assert failing.fail_sessions_of_revoked_enrollments(now=now()) == 0


def test_there_may_be_more_than_are_taken_at_once(ada: EndUser, monkeypatch: Any) -> None:
    monkeypatch.setattr(failing, "_AT_ONCE", 2)
    sessions = [make_session(ada) for _ in range(5)]
    revoke(*sessions)
    assert failing.fail_sessions_of_revoked_enrollments(now=now()) == 5


def test_one_clients_failure_is_not_anothers(ada: EndUser, dan: EndUser, monkeypatch: Any) -> None:
    mine, theirs = make_session(ada), make_session(dan)
    revoke(mine, theirs)
    fail = sessions.fail

    def refuse(session: PlaySession, **values: Any) -> None:
        if session.client_id == "acme":
            raise RuntimeError("broken")
        fail(session, **values)

    monkeypatch.setattr(failing, "fail", refuse)
    assert failing.fail_sessions_of_revoked_enrollments(now=now()) == 1
    assert [stored(each.id).state for each in (mine, theirs)] == ["failed", "active"]


def test_it_comes_every_minute() -> None:
    line = SCHEDULE["fail sessions of revoked enrollments"]
    assert line["task"] == fail_sessions_of_revoked_enrollments.name
    assert line["schedule"].run_every.total_seconds() == 60
