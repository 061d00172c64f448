"""What devices tell in tests, and what the server then has."""

import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from apps.delivery.models import Enrollment, SessionSnapshot, SyncMutation
from apps.kernel.clock import instant, now
from apps.kernel.ids import new_id
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.delivery.problems import data_of
from tests.delivery.walking import LESSONS

PUSH, PULL, MUTATIONS = "/api/v1/sync/push", "/api/v1/sync/pull", "/api/v1/sync/mutations"
_numbers = itertools.count(1)


def new_session_id() -> str:
    return new_id("pls_")


def enroll(user: EndUser, **over: Any) -> Enrollment:
    """`user` takes the course of walking.py."""
    version = make.make_course_version(Client.objects.get(pk=user.client_id), make.a_manifest(*LESSONS))
    return make.make_enrollment(user, version, **over)


def subject(enrollment: Enrollment) -> dict[str, str]:
    """What a cursor says of a session that the server does not know."""
    return {"enrollmentId": enrollment.pk, "courseVersionId": enrollment.course_version_id}


def mutation(
    entity_id: str,
    lamport: int,
    lesson: int | None = 1,
    completed: Sequence[int] = (),
    *,
    state: str = "active",
    of: Enrollment | None = None,
    device: str | None = None,
    **over: Any,
) -> dict[str, Any]:
    """`over` are members of the mutation itself."""
    cursor = {} if lesson is None else {"lessonId": f"les_{lesson:02}"}
    payload: dict[str, Any] = {"state": state, "cursor": {**cursor, **(subject(of) if of else {})}}
    if completed:
        payload["progress"] = {"completedLessons": [f"les_{number:02}" for number in completed]}
    return {
        # Of one length, so that they compare as they were made.
        "clientMutationId": f"cm_{next(_numbers):08}",
        "entityType": "PlaySession",
        "entityId": entity_id,
        "deviceId": device,
        "lamport": lamport,
        "op": "upsert",
        "payload": payload,
        "occurredAt": instant(now() - timedelta(hours=1)),
        **over,
    }


def push(caller: Any, *mutations: Any) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = data_of(caller.post(PUSH, {"mutations": list(mutations)}))["results"]
    return results


def verdicts(caller: Any, *mutations: Any) -> list[str]:
    return [result["verdict"] for result in push(caller, *mutations)]


def rejection(caller: Any, told: Any) -> dict[str, Any]:
    """The problem of the one mutation that was told."""
    (result,) = push(caller, told)
    assert result["verdict"] == "rejected", result
    problem: dict[str, Any] = result["problem"]
    return problem


def pull(caller: Any, size: int = 50, cursor: str | None = None) -> dict[str, dict[str, Any]]:
    """All that there is, by session: what a new phone has in the end."""
    found: dict[str, dict[str, Any]] = {}
    while True:
        data = data_of(caller.post(PULL, {"cursor": cursor, "pageSize": size}, Idempotency_Key=""))
        found |= {change["entityId"]: change for change in data["changes"]}
        cursor = data["nextCursor"]
        if not data["hasMore"]:
            return found


def place(lesson: int, enrollment: Any, block: str | None = None) -> dict[str, Any]:
    """A cursor as `pull` tells it; of an enrollment, or a session of one."""
    enrollment_id = enrollment.pk if isinstance(enrollment, Enrollment) else enrollment.enrollment_id
    return {
        "moduleId": "mod_01",
        "lessonId": f"les_{lesson:02}",
        "blockId": block,
        "sequenceIndex": lesson - 1,
        "enrollmentId": enrollment_id,
        "courseVersionId": enrollment.course_version_id,
    }


def snapshots() -> dict[str, SessionSnapshot]:
    with binding.bound(binding.ALL_CLIENTS):
        return {row.session_id: row for row in SessionSnapshot.objects.all()}


def kept() -> list[SyncMutation]:
    """What was told, in its order."""
    with binding.bound(binding.ALL_CLIENTS):
        return list(SyncMutation.objects.order_by("pk"))
