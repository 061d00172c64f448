"""What no path of writing can do to a course or a session: the database holds it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.delivery.models import CourseVersion, PlayPackage, PlaySession, SessionChange
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(ada: EndUser) -> PlaySession:
    return make.make_play_session(make.make_enrollment(ada), completed_lessons=["les_01"])


def assert_refused(constraint: str, change: Callable[[], Any], client_id: str = "demo") -> None:
    with binding.bound(client_id), pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        change()


def updates(session: PlaySession, **values: Any) -> Callable[[], Any]:
    return lambda: PlaySession.objects.filter(pk=session.pk).update(**values)


def test_a_published_version_never_changes(session: PlaySession) -> None:
    versions = CourseVersion.objects.filter(pk=session.course_version_id)
    packages = PlayPackage.objects.filter(pk=session.course_version_id)
    assert_refused("courseversion is not changed", lambda: versions.update(number=7))
    assert_refused("playpackage is not changed", lambda: packages.update(manifest={"modules": []}))


def test_a_session_keeps_its_subject(session: PlaySession, ben: EndUser) -> None:
    assert_refused("not changed", updates(session, user_id=ben.uid))
    assert_refused("not changed", updates(session, attempt_number=2))


def test_an_ended_session_stays_ended(session: PlaySession) -> None:
    with binding.bound("demo"):
        updates(session, state="completed", ended_at=now())()
    assert_refused("not changed", updates(session, state="active", ended_at=None))


def test_a_version_steps_by_one_and_no_time_goes_back(session: PlaySession) -> None:
    assert_refused("not changed", updates(session, version=3))
    assert_refused("not changed", updates(session, version=0))
    assert_refused("not changed", updates(session, lamport=0))
    with binding.bound("demo"):
        updates(session, version=2, lamport=9)()


def test_completed_lessons_never_shrink(session: PlaySession) -> None:
    assert_refused("not changed", updates(session, completed_lessons=["les_02"]))
    with binding.bound("demo"):
        updates(session, completed_lessons=["les_01", "les_02"])()


def test_a_person_has_one_active_session_of_a_version_and_a_device(session: PlaySession, ada: EndUser) -> None:
    """No device counts as one and the same."""
    again = session.enrollment
    assert_refused("play_session_one_active", lambda: make.make_play_session(again, attempt_number=2))
    make.make_play_session(again, attempt_number=2, device=make.make_device(ada))
    make.make_play_session(again, attempt_number=3, state="paused")


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("play_session_state_known", {"state": "sleeping", "ended_at": now().replace(year=2100)}),
        ("play_session_ended_at", {"state": "completed"}),
        ("play_session_ended_at", {"ended_at": now()}),
        ("play_session_activity_after_start", {"last_activity_at": now().replace(year=2001)}),
    ],
)
def test_a_session_is_consistent(session: PlaySession, constraint: str, values: dict[str, Any]) -> None:
    assert_refused(constraint, updates(session, **values))


def test_nothing_points_into_another_tenant(session: PlaySession, acme: Client, dan: EndUser) -> None:
    theirs = make.make_enrollment(dan)
    assert_refused("of_same_client", lambda: make.make_enrollment(session.user, theirs.course_version))
    assert_refused("of_same_client", lambda: make.make_play_session(session.enrollment, device=make.make_device(dan)))
    assert_refused("of_same_client", lambda: _change(theirs.client, session), client_id="*")


def _change(client: Client, session: PlaySession) -> None:
    SessionChange.objects.create(
        client=client, session=session, version=1, action="started", state="active", cursor={}, at=now()
    )


def test_history_is_not_rewritten(session: PlaySession) -> None:
    with binding.bound("demo"):
        _change(session.client, session)
    assert_refused("not changed", lambda: SessionChange.objects.update(author="somebody"))
