"""What `POST /api/v1/sync/push` refuses as a whole, and what of it one by one (contract 9, "Push")."""

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.kernel.clock import instant, now
from apps.tenants.models import EndUser
from tests import make
from tests.delivery.described import assert_refused, data_described
from tests.delivery.syncing import (
    PULL,
    PUSH,
    enroll,
    kept,
    mutation,
    new_session_id,
    push,
    rejection,
    snapshots,
    subject,
    verdicts,
)
from tests.delivery.walking import NOWHERE, Via, assert_unchanged, make_session, stored

pytestmark = pytest.mark.django_db

ELSEWHERE = {
    "enrollmentId": "enr_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "courseVersionId": "cv_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
}


# --- the request ---


def test_who_may_push_and_pull(via: Via, ada: EndUser, cleo: User) -> None:
    asked: list[tuple[str, Any]] = [(PUSH, {"mutations": []}), (PULL, {})]
    for path, body in asked:
        assert_refused(via(cleo).post(path, body), 403, "authz.forbidden")
        assert_refused(via(ada).post(path, body, X_Tenant_Id=""), 400, "tenant.header_missing")
        assert_refused(via(ada).post(path, body, X_Tenant_Id="acme"), 403, "authz.tenant_not_a_member")
        assert via(ada).get(path).status_code == 405


def test_a_key_is_needed_to_push(via: Via, ada: EndUser) -> None:
    assert_refused(via(ada).post(PUSH, {"mutations": []}, Idempotency_Key=""), 400, "idempotency.key_invalid")
    assert_refused(via(ada).post(PUSH, {"mutations": []}, Idempotency_Key="mine"), 400, "idempotency.key_invalid")


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/mutations"]),
        ({"mutations": None}, ["/mutations"]),
        ({"mutations": {}}, ["/mutations"]),
        ({"mutations": "[]"}, ["/mutations"]),
        ({"mutations": [], "mutation": []}, ["/mutation"]),
        ({"mutations": [], "cursor": None, "a": 1}, ["/a", "/cursor"]),
    ],
)
def test_a_batch_has_its_form(via: Via, ada: EndUser, body: Any, pointers: list[str]) -> None:
    assert_refused(via(ada).post(PUSH, body), 400, "request.invalid", pointers)


def test_more_than_five_hundred_are_refused_and_nothing_applied(via: Via, ada: EndUser) -> None:
    session = make_session(ada)
    told = [mutation(session.pk, number, 2) for number in range(2, 503)]
    assert_refused(via(ada).post(PUSH, {"mutations": told}), 400, "request.invalid", ["/mutations"])
    assert_unchanged(session)
    assert kept() == []
    assert len(push(via(ada), *told[:500])) == 500


# --- one of them ---


@pytest.mark.parametrize(
    ("over", "pointer"),
    [
        ({"clientMutationId": "cm_"}, "/clientMutationId"),
        ({"clientMutationId": "cm_" + "a" * 62}, "/clientMutationId"),
        ({"clientMutationId": "cm_a b"}, "/clientMutationId"),
        ({"clientMutationId": "CM_a"}, "/clientMutationId"),
        ({"clientMutationId": "cm_ä"}, "/clientMutationId"),
        ({"clientMutationId": 7}, "/clientMutationId"),
        ({"entityType": "LessonPlay"}, "/entityType"),
        ({"entityType": None}, "/entityType"),
        ({"entityId": 7}, "/entityId"),
        ({"deviceId": 7}, "/deviceId"),
        ({"lamport": 0}, "/lamport"),
        ({"lamport": -1}, "/lamport"),
        ({"lamport": 2**53}, "/lamport"),
        ({"lamport": True}, "/lamport"),
        ({"lamport": 1.5}, "/lamport"),
        ({"lamport": "1"}, "/lamport"),
        ({"lamport": None}, "/lamport"),
        ({"op": "delete"}, "/op"),
        ({"op": None}, "/op"),
        ({"payload": None}, "/payload"),
        ({"payload": []}, "/payload"),
        ({"payload": {"cursor": {}}}, "/payload/state"),
        ({"payload": {"state": "sleeping", "cursor": {}}}, "/payload/state"),
        ({"payload": {"state": "active"}}, "/payload/cursor"),
        ({"payload": {"state": "active", "cursor": "les_01"}}, "/payload/cursor"),
        ({"payload": {"state": "active", "cursor": {"lessonId": 1}}}, "/payload/cursor/lessonId"),
        ({"payload": {"state": "active", "cursor": {"sequenceIndex": -1}}}, "/payload/cursor/sequenceIndex"),
        ({"payload": {"state": "active", "cursor": {"sequenceIndex": "1"}}}, "/payload/cursor/sequenceIndex"),
        ({"payload": {"state": "active", "cursor": {}, "progress": []}}, "/payload/progress"),
        (
            {"payload": {"state": "active", "cursor": {}, "progress": {"completedLessons": "les_01"}}},
            "/payload/progress/completedLessons",
        ),
        (
            {"payload": {"state": "active", "cursor": {}, "progress": {"completedLessons": ["les_01", 2]}}},
            "/payload/progress/completedLessons/1",
        ),
        ({"occurredAt": None}, "/occurredAt"),
        ({"occurredAt": "yesterday"}, "/occurredAt"),
        ({"occurredAt": "2026-04-15 10:00:00Z"}, "/occurredAt"),
        ({"occurredAt": "2026-04-15T10:00:00"}, "/occurredAt"),
        ({"occurredAt": 1_700_000_000}, "/occurredAt"),
    ],
)
def test_a_mutation_has_its_form(via: Via, ada: EndUser, over: Any, pointer: str) -> None:
    session = make_session(ada)
    told = {**mutation(session.pk, 5, 2), **over}
    response = via(ada).post(PUSH, {"mutations": [told]})
    (result,) = data_described(response)["results"]
    problem = result["problem"]
    assert (result["verdict"], problem["status"], problem["code"]) == ("rejected", 400, "request.invalid")
    assert [each["pointer"] for each in problem["errors"]] == [pointer]
    assert all(each["detail"] for each in problem["errors"])
    echo = told["clientMutationId"]
    assert result["clientMutationId"] == (echo if isinstance(echo, str) else None)
    (row,) = kept()
    assert (row.told, row.problem) == (told, problem)
    assert row.client_mutation_id == (None if "clientMutationId" in over else echo)
    assert_unchanged(session)


@pytest.mark.parametrize(
    "name", ["clientMutationId", "entityType", "entityId", "lamport", "op", "payload", "occurredAt"]
)
def test_what_must_be_told(via: Via, ada: EndUser, name: str) -> None:
    told = mutation(make_session(ada).pk, 5, 2)
    del told[name]
    assert [each["pointer"] for each in rejection(via(ada), told)["errors"]] == [f"/{name}"]


def test_an_absent_device_and_an_absent_progress_are_none(via: Via, ada: EndUser) -> None:
    told = mutation(make_session(ada).pk, 5, 2)
    del told["deviceId"]
    told["payload"] |= {"progress": None, "more": "that nobody knows"}
    assert verdicts(via(ada), told) == ["applied"]


def test_time_is_taken_in_any_zone_and_not_after_now(via: Via, ada: EndUser) -> None:
    enrollment = enroll(ada)
    later = new_session_id()
    push(
        via(ada),
        mutation(earlier := new_session_id(), 1, of=enrollment, occurredAt="2026-04-15T12:00:00.25+02:00"),
        mutation(later, 1, of=enrollment, occurredAt=instant(now() + timedelta(days=9))),
    )
    assert instant(snapshots()[earlier].began_at) == "2026-04-15T10:00:00.250Z"
    assert snapshots()[later].began_at == kept()[0].received_at


def code_of(problem: dict[str, Any]) -> tuple[int, str]:
    return problem["status"], problem["code"]


@pytest.mark.parametrize("entity", ["", "pls_", "les_01", "pls_01JDXW4Z9M3V5T8Q2R7N6P0ABU", "pls_" + "8" * 26])
def test_a_malformed_session_is_none(via: Via, ada: EndUser, entity: str) -> None:
    assert code_of(rejection(via(ada), mutation(entity, 1, of=enroll(ada)))) == (404, "session.not_found")


def test_another_persons_session(via: Via, ada: EndUser, ben: EndUser) -> None:
    theirs = make_session(ben)
    for enrollment in (None, enroll(ada)):
        problem = rejection(via(ada), mutation(theirs.pk, 5, 2, of=enrollment))
        assert code_of(problem) == (403, "session.not_owner")
    assert_unchanged(theirs)


def test_another_tenants_session_is_one_that_nobody_has(via: Via, ada: EndUser, dan: EndUser) -> None:
    theirs = make_session(dan)
    told = rejection(via(ada), mutation(theirs.pk, 5, 2))
    assert told == rejection(via(ada), mutation(NOWHERE, 5, 2))
    assert code_of(told) == (404, "session.not_found")
    enrollment = enroll(ada)
    assert verdicts(via(ada), mutation(theirs.pk, 5, 2, of=enrollment)) == ["applied"]
    assert_unchanged(theirs)


@pytest.mark.parametrize("missing", ["enrollmentId", "courseVersionId"])
def test_what_the_server_does_not_know_is_named_each_time(via: Via, ada: EndUser, missing: str) -> None:
    """Also once something is known of it: else it would matter what comes first."""
    enrollment, name = enroll(ada), new_session_id()
    bare = mutation(name, 2, 2, of=enrollment)
    del bare["payload"]["cursor"][missing]
    results = push(via(ada), mutation(name, 1, 1, of=enrollment), bare)
    assert code_of(results[1]["problem"]) == (404, "session.not_found")
    assert snapshots()[name].lesson_id == "les_01"


def test_somebody_elses_device(via: Via, ada: EndUser, ben: EndUser, dan: EndUser) -> None:
    session = make_session(ada)
    devices = [make.make_device(ben).pk, make.make_device(dan).pk, "dev_01JDXW4Z9M3V5T8Q2R7N6P0ABC", "phone", "x" * 99]
    problems = [rejection(via(ada), mutation(session.pk, 5, 2, device=device)) for device in devices]
    assert [code_of(problem) for problem in problems] == [(404, "device.not_found")] * 5
    assert all(problem == problems[0] for problem in problems)
    assert_unchanged(session)


def test_somebody_elses_enrollment(via: Via, ada: EndUser, ben: EndUser, dan: EndUser) -> None:
    own = enroll(ada)
    for cursor in (
        subject(enroll(ben)),
        subject(enroll(dan)),
        ELSEWHERE,
        {**subject(own), "courseVersionId": enroll(ada).course_version_id},
        {**subject(own), "courseVersionId": ELSEWHERE["courseVersionId"]},
    ):
        told = mutation(new_session_id(), 1)
        told["payload"]["cursor"] |= cursor
        assert code_of(rejection(via(ada), told)) == (404, "enrollment.not_found")


def test_a_known_session_keeps_its_enrollment(via: Via, ada: EndUser) -> None:
    session, other = make_session(ada), enroll(ada)
    caller = via(ada)
    assert code_of(rejection(caller, mutation(session.pk, 5, 2, of=other))) == (404, "enrollment.not_found")
    again = make.make_enrollment(ada, session.enrollment.course_version)
    told = mutation(session.pk, 5, 2)
    told["payload"]["cursor"]["enrollmentId"] = again.pk
    assert code_of(rejection(caller, told)) == (404, "enrollment.not_found")
    told = mutation(session.pk, 5, 2)
    told["payload"]["cursor"]["courseVersionId"] = session.course_version_id
    assert verdicts(caller, told, mutation(session.pk, 6, 3, of=session.enrollment)) == ["applied"] * 2


def test_a_version_of_which_there_is_nothing_to_play(via: Via, ada: EndUser) -> None:
    enrollment = make.make_enrollment(ada, make.make_course_version(ada.client, packaged=False))
    problem = rejection(via(ada), mutation(new_session_id(), 1, of=enrollment))
    assert code_of(problem) == (422, "play_package.not_found")


def test_what_is_not_in_the_manifest(via: Via, ada: EndUser) -> None:
    session = make_session(ada)
    elsewhere = mutation(session.pk, 5, 9)
    beyond, block, done = mutation(session.pk, 5, None), mutation(session.pk, 5, 2), mutation(session.pk, 5, 2, [1, 8])
    beyond["payload"]["cursor"]["sequenceIndex"] = 7
    block["payload"]["cursor"]["blockId"] = "blk_01"
    for told in (elsewhere, beyond, block, done):
        assert code_of(rejection(via(ada), told)) == (422, "navigation.invalid_target")
    assert_unchanged(session)


@pytest.mark.parametrize(
    ("cursor", "lesson", "block"),
    [
        ({}, "les_01", None),
        ({"sequenceIndex": 2}, "les_03", None),
        ({"sequenceIndex": 2, "lessonId": "les_05", "moduleId": "mod_99"}, "les_05", None),
        ({"sequenceIndex": 0, "blockId": "blk_01"}, "les_01", "blk_01"),
        ({"lessonId": None, "sequenceIndex": None, "blockId": None, "moduleId": None}, "les_01", None),
    ],
)
def test_the_manifest_says_where_a_cursor_is(via: Via, ada: EndUser, cursor: Any, lesson: str, block: Any) -> None:
    session = make_session(ada)
    told = mutation(session.pk, 5, None)
    told["payload"]["cursor"] = cursor
    assert verdicts(via(ada), told) == ["applied"]
    row = stored(session.pk)
    assert (row.module_id, row.lesson_id, row.block_id) == ("mod_01", lesson, block)
    assert row.sequence_index == int(lesson[-2:]) - 1


def test_a_revoked_enrollment_does_not_refuse_what_was_done(via: Via, ada: EndUser) -> None:
    assert verdicts(via(ada), mutation(new_session_id(), 1, of=enroll(ada, status="revoked"))) == ["applied"]
