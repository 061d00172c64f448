"""Mounts of many at once, over real connections: one winner, and none behind a revocation."""

from collections import Counter

import pytest

from apps.accounts.models import User
from apps.delivery.models import LicenseKey, Mount
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.delivery.offline import BUNDLES, Packed, make_packed
from tests.delivery.test_session_races import at_once, post
from tests.delivery.walking import URL, Via, stored

pytestmark = pytest.mark.django_db(transaction=True)

CROWD = 16
ROUNDS = 5


def open_mounts(packed: Packed) -> int:
    with binding.bound("demo"):
        return Mount.objects.filter(bundle=packed.bundle, unmounted_at__isnull=True).count()


def test_of_many_who_mount_in_one_session_one_does(via: Via, ada: EndUser) -> None:
    packed = make_packed(ada)
    answers = at_once([post(via(ada), packed.mount_url, packed.body)] * 10)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 9}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"bundle.already_mounted"}
    assert (open_mounts(packed), stored(packed.session.pk).version) == (1, 2)


def test_of_many_sessions_of_a_device_one_mounts(via: Via, ada: EndUser) -> None:
    for _ in range(ROUNDS):
        packed = make_packed(ada)
        others = [
            make.make_play_session(packed.session.enrollment, device=packed.device, state="paused", attempt_number=n)
            for n in range(2, 11)
        ]
        urls = [packed.mount_url, *(f"{URL}/{other.pk}/mount-offline" for other in others)]
        answers = at_once([post(via(ada), url, packed.body) for url in urls])
        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: len(urls) - 1}
        assert open_mounts(packed) == 1
        versions = [stored(each.pk).version for each in (packed.session, *others)]
        assert sorted(versions) == [1] * len(others) + [2]


def test_a_mount_is_there_before_the_revocation_or_refused(via: Via, ada: EndUser, cleo: User) -> None:
    """Whoever was told 201 is seen by the revocation: their session does not go on."""
    for _ in range(ROUNDS):
        packed = make_packed(ada)
        mounting = post(via(ada), packed.mount_url, packed.body)
        revoking = post(via(cleo), f"{BUNDLES}/{packed.bundle.pk}/revoke", {})
        mounted, revoked = at_once([mounting, revoking])
        assert revoked.status_code == 200
        assert (mounted.status_code, open_mounts(packed)) in [(201, 1), (403, 0)]
        again = via(ada).post(f"{URL}/{packed.session.pk}/resume")
        assert again.status_code == (403 if mounted.status_code == 201 else 200)


def test_of_many_first_licences_one_makes_the_key(via: Via, ada: EndUser, cleo: User) -> None:
    version = make.make_course_version(ada.client)
    bundle, device = make.make_bundle(version), make.make_device(ada, trusted=True)
    body = {"deviceId": device.pk}
    answers = at_once([post(via(cleo), f"{BUNDLES}/{bundle.pk}/licenses", body) for _ in range(CROWD)])
    assert Counter(answer.status_code for answer in answers) == {201: CROWD}
    with binding.bound("demo"):
        assert LicenseKey.objects.count() == 1
