"""Sessions that many change at once, over real connections: one winner, one active, no version twice."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from apps.api import valkey
from apps.delivery.models import Enrollment, PlaySession
from apps.delivery.services import failing
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.delivery.walking import URL, Via, events, history, make_session, stored

pytestmark = pytest.mark.django_db(transaction=True)

CROWD = 64
ROUNDS = 5


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Each in a thread of its own, all at the same moment."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def post(caller: Any, path: str, body: Any = None, **headers: str) -> Callable[[], Any]:
    """To be called in another thread, by an HTTP client of its own."""
    return lambda: type(caller)(caller.headers).call("POST", path, body, None, headers)


def patch(caller: Any, path: str, body: Any, **headers: str) -> Callable[[], Any]:
    return lambda: type(caller)(caller.headers).call("PATCH", path, body, None, headers)


def active_of(uid: str) -> list[str]:
    with binding.bound("demo"):
        return list(PlaySession.objects.of_user("demo", uid).active().values_list("id", flat=True))


def assert_consistent(session_id: str) -> None:
    """Versions step by one, each with its line of history, and each line but progress with its event."""
    session = stored(session_id)
    versions = [version for version, _, _ in history(session_id)]
    assert versions == list(range(versions[0], session.version + 1))
    assert events(session_id) == [action for _, action, _ in history(session_id)]


def test_of_64_steps_from_one_version_one_is_taken(via: Via, ada: EndUser) -> None:
    caller = via(ada)
    for _ in range(ROUNDS):
        session = make_session(ada)
        step = patch(caller, f"{URL}/{session.id}/navigate", {"target": {"type": "next"}}, If_Match='"1"')
        answers = at_once([step] * CROWD)
        assert Counter(answer.status_code for answer in answers) == {200: 1, 409: CROWD - 1}
        codes = {answer.json()["code"] for answer in answers if answer.status_code == 409}
        assert codes == {"session.version_conflict"}
        assert (stored(session.id).version, stored(session.id).lesson_id) == (2, "les_02")
        assert_consistent(session.id)


def test_steps_without_a_version_follow_each_other(via: Via, ada: EndUser) -> None:
    session = make_session(ada)
    body = {"target": {"type": "jump", "targetLessonId": "les_01"}}
    answers = at_once([patch(via(ada), f"{URL}/{session.id}/navigate", body)] * CROWD)
    assert sorted(answer.json()["data"]["version"] for answer in answers) == list(range(2, CROWD + 2))
    assert_consistent(session.id)


def test_two_starts_at_once_are_attempts_one_and_two(via: Via, ada: EndUser, ben: EndUser) -> None:
    for user in (ada, ben):
        enrollment = make.make_enrollment(user)
        body = {"enrollmentId": enrollment.id, "courseVersionId": enrollment.course_version_id}
        answers = at_once([post(via(user), URL, body)] * 2)
        assert [answer.status_code for answer in answers] == [201, 201]
        assert sorted(answer.json()["data"]["attemptNumber"] for answer in answers) == [1, 2]
        second = max(answers, key=lambda answer: answer.json()["data"]["attemptNumber"]).json()["data"]
        assert active_of(user.uid) == [second["id"]]
        for answer in answers:
            assert_consistent(answer.json()["data"]["id"])


def test_one_key_starts_one_session(via: Via, ada: EndUser) -> None:
    enrollment = make.make_enrollment(ada)
    body = {"enrollmentId": enrollment.id, "courseVersionId": enrollment.course_version_id}
    key = "01JDXW4Z9M3V5T8Q2R7N6P0ABC"
    answers = at_once([post(via(ada), URL, body, Idempotency_Key=key)] * 16)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    with binding.bound("demo"):
        assert PlaySession.objects.count() == 1


def test_of_starts_and_resumes_at_once_one_session_is_active(via: Via, ada: EndUser) -> None:
    """Under two enrollments for one version, which compete for the same place."""
    caller = via(ada)
    for _ in range(ROUNDS):
        with binding.bound("demo"):
            PlaySession.objects.active().update(state="paused")
        first = make_session(ada, state="paused")
        second = make.make_play_session(first.enrollment, attempt_number=2, state="paused")
        again = make.make_enrollment(ada, first.enrollment.course_version)
        body = {"enrollmentId": again.id, "courseVersionId": again.course_version_id}
        resumes = [post(caller, f"{URL}/{each.id}/resume") for each in (first, second)] * 4
        answers = at_once([*resumes, post(caller, URL, body)])
        assert {answer.status_code for answer in answers} <= {200, 201}
        assert len(active_of("ada")) == 1
        for session_id in (first.id, second.id):
            assert_consistent(session_id)
        # The limit of starts is no part of this.
        valkey.client().flushdb()


def test_it_ends_once(via: Via, ada: EndUser) -> None:
    caller = via(ada)
    for _ in range(ROUNDS):
        version = make.make_course_version(ada.client, make.a_manifest({"required": False}))
        session = make.make_play_session(make.make_enrollment(ada, version))
        calls = [post(caller, f"{URL}/{session.id}/{name}") for name in ("complete", "abandon", "pause", "resume")] * 4
        at_once(calls)
        ends = [action for _, action, _ in history(session.id) if action in ("completed", "abandoned")]
        assert len(ends) == 1
        assert stored(session.id).state == ends[0]
        assert_consistent(session.id)


def test_a_session_that_is_walked_while_its_enrollment_is_revoked_fails(via: Via, ada: EndUser) -> None:
    session, caller = make_session(ada), via(ada)
    with binding.bound("demo"):
        Enrollment.objects.filter(pk=session.enrollment_id).update(status="revoked", revoked_at=now())
    step = patch(caller, f"{URL}/{session.id}/navigate", {"target": {"type": "jump", "targetLessonId": "les_01"}})

    def fail() -> Any:
        return failing.fail_sessions_of_revoked_enrollments(now=now())

    at_once([*[step] * 8, fail, fail])
    fail()
    assert stored(session.id).state == "failed"
    assert_consistent(session.id)
