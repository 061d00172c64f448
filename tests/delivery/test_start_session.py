"""`POST /api/v1/play-sessions` (004, 3.1; contract 9)."""

import re
from typing import Any

import pytest

from apps.accounts.models import User
from apps.delivery.models import Enrollment, PlaySession
from apps.events.models import OutboxEvent
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.delivery.described import assert_described, assert_refused
from tests.delivery.problems import data_of
from tests.delivery.walking import URL, Via, cursor, events, history, stored

pytestmark = pytest.mark.django_db

UNKNOWN = "01JDXW4Z9M3V5T8Q2R7N6P0ABC"


@pytest.fixture
def enrollment(ada: EndUser) -> Enrollment:
    return make.make_enrollment(ada)


def body(enrollment: Enrollment, **over: Any) -> dict[str, Any]:
    return {"enrollmentId": enrollment.id, "courseVersionId": enrollment.course_version_id, **over}


def test_a_session_starts_at_the_first_lesson(via: Via, ada: EndUser, enrollment: Enrollment) -> None:
    device = make.make_device(ada)
    response = via(ada).post(URL, body(enrollment, deviceId=device.id))
    data = data_of(response, 201)
    session = stored(data["id"])
    time = data["startedAt"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
    assert data == {
        "id": session.id,
        "state": "active",
        "attemptNumber": 1,
        "cursor": cursor(1),
        "startedAt": time,
        "lastActivityAt": time,
        "isOffline": False,
        "version": 1,
    }
    assert response.headers["ETag"] == '"1"'
    assert re.fullmatch(r"pls_[0-9A-HJKMNP-TV-Z]{26}", session.id)
    assert (session.user_id, session.device_id, session.lamport) == ("ada", device.id, 1)
    assert history(session.id) == [(1, "started", "ada")]
    assert_described(response)
    with binding.bound("demo"):
        event = OutboxEvent.objects.get()
    assert event.event_type == "delivery.play_session.started.v1"
    assert event.payload == {
        "userId": "ada",
        "enrollmentId": enrollment.id,
        "courseVersionId": enrollment.course_version_id,
        "deviceId": device.id,
        "state": "active",
        "attemptNumber": 1,
        "version": 1,
        "lamport": 1,
        "cursor": cursor(1),
    }


def test_it_starts_at_the_first_lesson_that_can_be_reached(via: Via, ada: EndUser) -> None:
    manifest = make.a_manifest({"prerequisites": ["les_02"]}, {})
    enrollment = make.make_enrollment(ada, make.make_course_version(ada.client, manifest))
    assert data_of(via(ada).post(URL, body(enrollment)), 201)["cursor"] == cursor(2)


def test_a_second_start_pauses_the_first_and_counts_attempts(via: Via, ada: EndUser, enrollment: Enrollment) -> None:
    """A null device is no device, which is one and the same."""
    first = data_of(via(ada).post(URL, body(enrollment)), 201)
    second = data_of(via(ada).post(URL, body(enrollment, deviceId=None)), 201)
    assert [each["attemptNumber"] for each in (first, second)] == [1, 2]
    paused, active = stored(first["id"]), stored(second["id"])
    assert (paused.state, paused.version, active.state) == ("paused", 2, "active")
    assert history(paused.id) == [(1, "started", "ada"), (2, "paused", "ada")]
    assert events(paused.id) == ["started", "paused"]
    # What was begun last is what is told of last.
    assert active.lamport > paused.lamport


def test_another_device_or_enrollment_pauses_nothing_of_its_own(via: Via, ada: EndUser, enrollment: Enrollment) -> None:
    """Attempts are counted by enrollment; what is active, by version and device."""
    first = data_of(via(ada).post(URL, body(enrollment)), 201)
    phone = make.make_device(ada)
    second = data_of(via(ada).post(URL, body(enrollment, deviceId=phone.id)), 201)
    assert (second["attemptNumber"], stored(first["id"]).state) == (2, "active")
    again = make.make_enrollment(ada, enrollment.course_version)
    third = data_of(via(ada).post(URL, body(again)), 201)
    assert (third["attemptNumber"], stored(first["id"]).state) == (1, "paused")


def test_attempts_go_on_after_the_greatest(via: Via, ada: EndUser, enrollment: Enrollment) -> None:
    make.make_play_session(enrollment, attempt_number=7, state="completed")
    assert data_of(via(ada).post(URL, body(enrollment)), 201)["attemptNumber"] == 8


@pytest.mark.parametrize(
    ("over", "pointer"),
    [
        ({"enrollmentId": None}, "/enrollmentId"),
        ({"enrollmentId": "enr_bad"}, "/enrollmentId"),
        ({"enrollmentId": f"cv_{UNKNOWN}"}, "/enrollmentId"),
        ({"enrollmentId": f"enr_{UNKNOWN}\n"}, "/enrollmentId"),
        ({"enrollmentId": 7}, "/enrollmentId"),
        ({"courseVersionId": "cv_01jdxw4z9m3v5t8q2r7n6p0abc"}, "/courseVersionId"),
        ({"deviceId": "phone"}, "/deviceId"),
    ],
)
def test_ids_have_their_form(via: Via, ada: EndUser, enrollment: Enrollment, over: Any, pointer: str) -> None:
    assert_refused(via(ada).post(URL, body(enrollment, **over)), 400, "request.invalid", [pointer])


def test_a_body_is_needed(via: Via, ada: EndUser, enrollment: Enrollment) -> None:
    assert_refused(via(ada).post(URL, {}), 400, "request.invalid", ["/enrollmentId", "/courseVersionId"])
    assert_refused(via(ada).post(URL, b"[]"), 400, "request.invalid")
    assert_refused(via(ada).post(URL, b"{", Content_Type="text/plain"), 415, "request.media_type_unsupported")
    assert_refused(via(ada).post(URL, b" " * 1_048_577), 413, "request.too_large")


def test_a_revoked_enrollment_starts_nothing(via: Via, ada: EndUser) -> None:
    revoked = make.make_enrollment(ada, status="revoked")
    assert_refused(via(ada).post(URL, body(revoked)), 403, "enrollment.revoked")


def test_an_enrollment_is_the_callers_own_and_for_the_version(
    via: Via, ada: EndUser, ben: EndUser, dan: EndUser, enrollment: Enrollment
) -> None:
    other = make.make_course_version(ada.client)
    bens, dans = make.make_enrollment(ben), make.make_enrollment(dan)
    for wrong in (
        body(enrollment, enrollmentId=f"enr_{UNKNOWN}"),
        body(bens),
        body(dans),
        body(enrollment, courseVersionId=other.id),
    ):
        assert_refused(via(ada).post(URL, wrong), 404, "enrollment.not_found")


def test_a_version_has_something_to_play(via: Via, ada: EndUser, dan: EndUser, enrollment: Enrollment) -> None:
    empty = make.make_enrollment(ada, make.make_course_version(ada.client, packaged=False))
    foreign = make.make_course_version(dan.client)
    for wrong in (
        body(empty),
        body(enrollment, courseVersionId=f"cv_{UNKNOWN}"),
        body(enrollment, courseVersionId=foreign.id),
    ):
        assert_refused(via(ada).post(URL, wrong), 422, "play_package.not_found")


def test_a_device_is_the_callers_own(
    via: Via, ada: EndUser, ben: EndUser, dan: EndUser, enrollment: Enrollment
) -> None:
    for device_id in (f"dev_{UNKNOWN}", make.make_device(ben).id, make.make_device(dan).id):
        assert_refused(via(ada).post(URL, body(enrollment, deviceId=device_id)), 404, "device.not_found")


def test_the_sixth_start_in_a_minute_is_too_many(via: Via, ada: EndUser, ben: EndUser, enrollment: Enrollment) -> None:
    """Refusals and replays take nothing; all five may come at once."""
    caller = via(ada)
    for _ in range(3):
        assert caller.post(URL, body(enrollment, deviceId=f"dev_{UNKNOWN}")).status_code == 404
    key = "01JDXW4Z9M3V5T8Q2R7N6P0KEY".replace("Y", "Z")
    for left in range(4, -1, -1):
        response = caller.post(URL, body(enrollment), Idempotency_Key=key if left == 4 else "")
        if left < 4:
            assert response.status_code == 400
            response = caller.post(URL, body(enrollment))
        assert response.status_code == 201
        assert response.headers["RateLimit-Policy"] == '"session_starts";q=5;w=60'
        assert response.headers["RateLimit"].startswith(f'"session_starts";r={left};')
    refused = caller.post(URL, body(enrollment))
    assert_refused(refused, 409, "session.rate_limited")
    assert 0 < int(refused.headers["Retry-After"]) <= 12
    assert refused.headers["RateLimit"].startswith('"session_starts";r=0;')
    replayed = caller.post(URL, body(enrollment), Idempotency_Key=key)
    assert (replayed.status_code, replayed.headers["Idempotency-Replayed"]) == (201, "true")
    # By user, and within their client.
    assert via(ben).post(URL, body(make.make_enrollment(ben))).status_code == 201


def test_a_key_replays_and_binds_the_body(via: Via, ada: EndUser, enrollment: Enrollment) -> None:
    key = "01JDXW4Z9M3V5T8Q2R7N6P0ABC"
    first = via(ada).post(URL, body(enrollment), Idempotency_Key=key)
    again = via(ada).post(URL, body(enrollment), Idempotency_Key=key)
    assert (again.content, again.headers["ETag"]) == (first.content, '"1"')
    assert again.headers["Idempotency-Replayed"] == "true"
    other = via(ada).post(URL, body(enrollment, deviceId=None), Idempotency_Key=key)
    assert_refused(other, 409, "idempotency.replay_mismatch")
    with binding.bound("demo"):
        assert PlaySession.objects.count() == 1
    for bad in ("", "not-a-ulid", "01JDXW4Z9M3V5T8Q2R7N6P0AB"):
        refused = via(ada).post(URL, body(enrollment), Idempotency_Key=bad)
        assert_refused(refused, 400, "idempotency.key_invalid")


def test_learners_start(via: Via, cleo: User, enrollment: Enrollment) -> None:
    assert_refused(via(cleo).post(URL, body(enrollment)), 403, "authz.forbidden")
