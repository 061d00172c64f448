"""`POST /api/v1/play-sessions/{id}/unmount-offline`: the device has done with a bundle (004 3.10, contract 9)."""

import pytest

from apps.accounts.models import User
from apps.events.models import OutboxEvent
from apps.kernel.clock import instant
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.delivery.described import assert_refused, data_described
from tests.delivery.offline import Packed, make_packed, mount
from tests.delivery.walking import NOWHERE, URL, Via, history, stored

pytestmark = pytest.mark.django_db

NO_MOUNT = "mnt_01JDXW4Z9M3V5T8Q2R7N6P0ABC"


def make_mounted(user: EndUser) -> tuple[Packed, str]:
    packed = make_packed(user, is_offline=True)
    return packed, make.make_mount(packed.session, packed.bundle, packed.license).pk


def test_a_device_unmounts_a_bundle(via: Via, ada: EndUser) -> None:
    packed, mount_id = make_mounted(ada)
    answer = via(ada).post(packed.unmount_url, {"mountId": mount_id, "reason": "user_initiated"})
    row = mount(mount_id)
    assert row.unmounted_at is not None
    assert data_described(answer) == {
        "mountId": mount_id,
        "unmountedAt": instant(row.unmounted_at),
        "reason": "user_initiated",
    }
    session = stored(packed.session.pk)
    assert (session.is_offline, session.version, session.lamport) == (False, 2, 2)
    assert answer.headers["ETag"] == '"2"'
    assert history(session.pk) == [(2, "unmounted", "ada")]
    with binding.bound("demo"):
        event = OutboxEvent.objects.get(subject_id=packed.bundle.pk)
    assert event.event_type == "delivery.bundle.unmounted.v1"
    assert event.payload == {
        "mountId": mount_id,
        "bundleId": packed.bundle.pk,
        "deviceId": packed.device.pk,
        "playSessionId": session.pk,
        "userId": "ada",
        "reason": "user_initiated",
    }


def test_a_reason_may_be_left_out(via: Via, ada: EndUser) -> None:
    packed, mount_id = make_mounted(ada)
    assert data_described(via(ada).post(packed.unmount_url, {"mountId": mount_id}))["reason"] == ""


def test_what_was_unmounted_can_be_mounted_again(via: Via, ada: EndUser) -> None:
    packed, mount_id = make_mounted(ada)
    assert via(ada).post(packed.unmount_url, {"mountId": mount_id}).status_code == 200
    again = via(ada).post(packed.mount_url, packed.body)
    assert data_described(again, 201)["mountId"] != mount_id
    assert stored(packed.session.pk).is_offline


def test_a_session_is_offline_until_its_last_mount_ends(via: Via, ada: EndUser) -> None:
    packed, first = make_mounted(ada)
    bundle = make.make_bundle(packed.bundle.course_version)
    license_, _ = make.make_license(bundle, packed.device)
    second = make.make_mount(packed.session, bundle, license_).pk
    left = []
    for mount_id in (first, second):
        assert via(ada).post(packed.unmount_url, {"mountId": mount_id}).status_code == 200
        left.append(stored(packed.session.pk).is_offline)
    assert left == [True, False]


@pytest.mark.parametrize("state", ["paused", "completed", "abandoned", "failed"])
def test_a_session_that_is_not_active_unmounts_too(via: Via, ada: EndUser, state: str) -> None:
    packed = make_packed(ada, is_offline=True, state=state)
    mount_id = make.make_mount(packed.session, packed.bundle, packed.license).pk
    assert via(ada).post(packed.unmount_url, {"mountId": mount_id}).status_code == 200
    assert (stored(packed.session.pk).state, stored(packed.session.pk).is_offline) == (state, False)


def test_only_learners_unmount(via: Via, ada: EndUser, cleo: User) -> None:
    packed, mount_id = make_mounted(ada)
    assert_refused(via(cleo).post(packed.unmount_url, {"mountId": mount_id}), 403, "authz.forbidden")


def test_a_wrong_shape_is_told_by_its_field(via: Via, ada: EndUser) -> None:
    packed, mount_id = make_mounted(ada)
    assert_refused(via(ada).post(packed.unmount_url, {}), 400, "request.invalid", ["/mountId"])
    body = {"mountId": mount_id, "reason": "x" * 501}
    assert_refused(via(ada).post(packed.unmount_url, body), 400, "request.invalid", ["/reason"])


def test_an_unknown_session_is_not_found(via: Via, ada: EndUser, dan: EndUser) -> None:
    foreign, mount_id = make_mounted(dan)
    for url in (f"{URL}/{NOWHERE}/unmount-offline", foreign.unmount_url):
        assert_refused(via(ada).post(url, {"mountId": mount_id}), 404, "session.not_found")


def test_anothers_session_is_theirs(via: Via, ada: EndUser, ben: EndUser) -> None:
    packed, mount_id = make_mounted(ada)
    assert_refused(via(ben).post(packed.unmount_url, {"mountId": mount_id}), 403, "session.not_owner")
    assert mount(mount_id).unmounted_at is None


def test_an_unknown_mount_is_not_found(via: Via, ada: EndUser, ben: EndUser, dan: EndUser) -> None:
    """Nor is one of another session, another person, or another tenant."""
    packed, _ = make_mounted(ada)
    others = [make_mounted(who)[1] for who in (ada, ben, dan)]
    for mount_id in (NO_MOUNT, "x" * 1000, *others):
        assert_refused(via(ada).post(packed.unmount_url, {"mountId": mount_id}), 404, "mount.not_found")
        assert stored(packed.session.pk).version == 1


def test_a_second_time_there_is_nothing_mounted(via: Via, ada: EndUser) -> None:
    packed, mount_id = make_mounted(ada)
    assert via(ada).post(packed.unmount_url, {"mountId": mount_id}).status_code == 200
    assert_refused(via(ada).post(packed.unmount_url, {"mountId": mount_id}), 409, "mount.not_mounted")
    assert stored(packed.session.pk).version == 2


def test_another_version_than_the_callers_is_a_conflict(via: Via, ada: EndUser) -> None:
    packed, mount_id = make_mounted(ada)
    answer = via(ada).post(packed.unmount_url, {"mountId": mount_id}, If_Match='"9"')
    assert_refused(answer, 409, "session.version_conflict")
    assert mount(mount_id).unmounted_at is None
