"""Two phones without a network, and a third that is new: one state everywhere, and nothing that was done is lost."""

from itertools import permutations
from typing import Any

import pytest

from apps.accounts.models import User
from apps.api import valkey
from apps.delivery.models import PlaySession
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.delivery.offline import BUNDLES, build, content_of, index_of, unpacked
from tests.delivery.problems import data_of
from tests.delivery.syncing import mutation, new_session_id, pull, push
from tests.delivery.walking import LESSONS, URL, Via, cursor, events

pytestmark = pytest.mark.django_db

COURSES, ENROLLMENTS, DEVICES = "/api/v1/courses", "/api/v1/enrollments", "/api/v1/devices"


def a_course(admin: Any) -> str:
    course = data_of(admin.post(COURSES, {"title": {"en": "Lifting and carrying"}}), 201)["id"]
    manifest = make.a_manifest(*LESSONS)
    return str(data_of(admin.post(f"{COURSES}/{course}/versions", {"manifest": manifest}), 201)["id"])


def a_phone(learner: Any, admin: Any, name: str) -> str:
    """Registered by the learner, trusted by an administrator."""
    device = data_of(learner.post(DEVICES, {"name": name}), 201)["id"]
    data_of(admin.patch(f"{DEVICES}/{device}", {"trusted": True}))
    return str(device)


def take_along(learner: Any, admin: Any, version: str, device: str) -> dict[str, str]:
    """The bundle, downloaded and looked into, and what mounts it."""
    bundle = data_of(admin.post(BUNDLES, {"courseVersionId": version}), 201)["id"]
    build(bundle)
    license_ = data_of(learner.post(f"{BUNDLES}/{bundle}/licenses", {"deviceId": device}), 201)
    row = data_of(learner.get(f"{BUNDLES}/{bundle}"))
    assert index_of(unpacked(content_of(learner.get(f"{BUNDLES}/{bundle}/download"))))
    envelope, checksum = license_["licenseEnvelope"], row["checksum"]
    return {"bundleId": bundle, "licenseEnvelope": envelope, "bundleChecksum": checksum}


def a_way(via: Via, ada: EndUser, cleo: User, order: tuple[int, ...]) -> list[Any]:
    """The whole story, in which the parts of what the phones tell come in this order; what is known in the end."""
    learner, admin = via(ada), via(cleo)
    version = a_course(admin)
    enrollment = data_of(admin.post(ENROLLMENTS, {"userId": "ada", "courseVersionId": version}), 201)["id"]
    mine = {"enrollmentId": enrollment, "courseVersionId": version}
    first, second = a_phone(learner, admin, "First"), a_phone(learner, admin, "Second")
    shared = data_of(learner.post(URL, {**mine, "deviceId": first}), 201)["id"]
    data_of(learner.post(f"{URL}/{shared}/mount-offline", take_along(learner, admin, version, first)), 201)
    # The second phone hears of it, and begins one of its own where there is no network, either.
    then = pull(learner)[shared]["lamport"]
    own = new_session_id()
    parts = [
        [tell(shared, then + 1, 2, [1], first, mine), tell(shared, then + 3, 4, [2, 3], first, mine)],
        [tell(shared, then + 2, 5, [1, 7], second, mine), tell(own, then + 3, 1, [], second, mine)],
        [
            tell(shared, then + 3, 3, [6], second, mine, "paused"),
            tell(own, then + 4, 2, [1], second, mine, "abandoned"),
        ],
    ]
    for number in order:
        push(learner, *parts[number])
    for part in parts:
        push(learner, *part)
    third = pull(learner, 1)
    valkey.client().flushdb()  # the limit of starts is no part of this
    assert_the_server_has(third, shared)
    assert {*events(shared)} >= {"started", "paused"}
    names = {first: "first", second: "second"}
    return [
        (told["state"], told["cursor"]["lessonId"], told["progress"], told["lamport"] - then, names[told["deviceId"]])
        for told in (third[shared], third[own])
    ]


def tell(
    name: str, lamport: int, lesson: int, done: list[int], device: str, mine: dict[str, str], state: str = "active"
) -> dict[str, Any]:
    told = mutation(name, lamport, lesson, done, device=device, state=state)
    told["payload"]["cursor"] |= mine
    return told


def assert_the_server_has(pulled: dict[str, Any], session_id: str) -> None:
    told = pulled[session_id]
    with binding.bound("demo"):
        row = PlaySession.objects.get(pk=session_id)
    assert (row.state, row.is_offline) == (told["state"], True)
    assert {**row.cursor, "enrollmentId": row.enrollment_id, "courseVersionId": row.course_version_id} == told["cursor"]
    assert sorted(row.completed_lessons) == told["progress"]["completedLessons"]


def test_two_phones_tell_in_any_order_and_a_third_is_told_the_same(via: Via, ada: EndUser, cleo: User) -> None:
    outcomes = [a_way(via, ada, cleo, order) for order in permutations(range(3))]
    done = {"completedLessons": ["les_01", "les_02", "les_03", "les_06", "les_07"]}
    # The second phone's name is the greater, so that of two writes at one time its own wins.
    assert outcomes[0] == [
        ("paused", "les_03", done, 3, "second"),
        ("abandoned", "les_02", {"completedLessons": ["les_01"]}, 4, "second"),
    ]
    assert all(outcome == outcomes[0] for outcome in outcomes)


def test_a_third_phone_goes_on_where_they_left_off(via: Via, ada: EndUser, cleo: User) -> None:
    a_way(via, ada, cleo, (2, 0, 1))
    learner = via(ada)
    last = data_of(learner.get(f"{URL}/last"))
    (live,) = [each for each in pull(learner).values() if each["state"] == "paused"]
    resumed = data_of(learner.post(f"{URL}/{live['entityId']}/resume"))
    assert (resumed["state"], resumed["cursor"], resumed["isOffline"]) == ("active", cursor(3), True)
    assert last["source"] == "sync"  # what was abandoned was done last
    assert data_of(learner.get(f"{URL}/last"))["id"] == live["entityId"]
