"""`POST /api/v1/bundles/{id}/licenses`: who may play a bundle on which device (contract 9, 12)."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.delivery import licences
from apps.delivery.models import Bundle, Device, Enrollment, License, LicenseKey
from apps.kernel import sealing
from apps.kernel.clock import instant, now
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.delivery.described import assert_refused, data_described
from tests.delivery.offline import BUNDLES, NO_BUNDLE, NO_DEVICE, make_packed

pytestmark = pytest.mark.django_db

Via = Callable[..., Any]


def make_taken(user: EndUser, **device: Any) -> tuple[Bundle, Device, Enrollment]:
    """A bundle of what `user` is enrolled in, and their trusted device."""
    enrollment = make.make_enrollment(user)
    return (
        make.make_bundle(enrollment.course_version),
        make.make_device(user, **{"trusted": True, **device}),
        enrollment,
    )


def url(bundle: Bundle) -> str:
    return f"{BUNDLES}/{bundle.pk}/licenses"


def only_license() -> License:
    with binding.bound("demo"):
        return License.objects.select_related("key").get()


def claims_of(envelope: str) -> Any:
    """What the licence says, by its public key."""
    row = only_license()
    return licences.verify(licences.parse(envelope), algorithm=row.key.algorithm, public=row.key.public)


def test_a_learner_gets_a_licence_for_their_device(via: Via, ada: EndUser) -> None:
    bundle, device, _ = make_taken(ada)
    data = data_described(via(ada).post(url(bundle), {"deviceId": device.pk}), 201)
    row = only_license()
    assert data == {"licenseEnvelope": data["licenseEnvelope"], "expiresAt": instant(row.expires_at)}
    assert (row.bundle_id, row.device_id, row.issued_by) == (bundle.pk, device.pk, "ada")
    assert claims_of(data["licenseEnvelope"]) == licences.Claims(
        license_id=row.pk,
        client_id="demo",
        bundle_id=bundle.pk,
        device_id=device.pk,
        issued_at=int(row.issued_at.timestamp()),
        expires_at=int(row.expires_at.timestamp()),
        checksum=bundle.checksum,
    )
    assert row.expires_at == (row.issued_at + timedelta(days=30)).replace(microsecond=0)
    envelope = licences.parse(data["licenseEnvelope"])
    assert (envelope.algorithm, envelope.key_id) == ("EdDSA", row.key_id)


def test_an_administrator_gets_one_for_any_device(via: Via, ada: EndUser, cleo: User, root: User) -> None:
    """Trusted or not, enrolled or not: whether it may be mounted is asked when it is."""
    bundle = make.make_bundle(make.make_course_version(ada.client))
    device = make.make_device(ada)
    for who in (cleo, root):
        assert via(who).post(url(bundle), {"deviceId": device.pk}).status_code == 201


def test_the_days_and_the_algorithm_are_settings(via: Via, ada: EndUser, settings: Any) -> None:
    settings.LICENSE_DAYS, settings.LICENSE_ALGORITHM = 7, "ES256"
    bundle, device, _ = make_taken(ada)
    data = data_described(via(ada).post(url(bundle), {"deviceId": device.pk}), 201)
    row = only_license()
    assert row.expires_at - row.issued_at <= timedelta(days=7) < row.expires_at - row.issued_at + timedelta(seconds=1)
    assert licences.parse(data["licenseEnvelope"]).algorithm == row.key.algorithm == "ES256"


def test_its_end_may_be_asked_for_in_whole_seconds(via: Via, ada: EndUser) -> None:
    bundle, device, _ = make_taken(ada)
    wanted = now() + timedelta(days=365)
    body = {"deviceId": device.pk, "expiresAt": instant(wanted)}
    data = data_described(via(ada).post(url(bundle), body), 201)
    assert data["expiresAt"] == instant(wanted.replace(microsecond=0))
    assert claims_of(data["licenseEnvelope"]).expires_at == int(wanted.timestamp())


def test_a_bundle_that_is_being_built_gets_a_licence_without_a_checksum(via: Via, ada: EndUser) -> None:
    enrollment, device = make.make_enrollment(ada), make.make_device(ada, trusted=True)
    bundle = make.make_bundle(enrollment.course_version, status="building")
    data = data_described(via(ada).post(url(bundle), {"deviceId": device.pk}), 201)
    assert claims_of(data["licenseEnvelope"]).checksum is None


def test_all_of_a_client_are_signed_by_one_key_and_another_clients_by_another(
    via: Via, ada: EndUser, dan: EndUser
) -> None:
    bundle, device, _ = make_taken(ada)
    theirs, tablet, _ = make_taken(dan)
    kids = [
        licences.parse(via(who).post(url(of), {"deviceId": on.pk}).json()["data"]["licenseEnvelope"]).key_id
        for who, of, on in ((ada, bundle, device), (ada, bundle, device), (dan, theirs, tablet))
    ]
    assert kids[0] == kids[1] != kids[2]


def test_the_private_key_is_sealed(via: Via, ada: EndUser) -> None:
    bundle, device, _ = make_taken(ada)
    via(ada).post(url(bundle), {"deviceId": device.pk})
    with binding.bound("demo"):
        key = LicenseKey.objects.get()
    private = json.loads(sealing.unseal(key.sealed, purpose="license_key"))
    assert "d" in private
    assert private["d"] not in f"{key.sealed}{key.public}"
    assert "d" not in key.public


def test_a_key_whose_seal_cannot_be_opened_any_more_gives_way_to_another(via: Via, ada: EndUser, settings: Any) -> None:
    """What it has signed is still good: only its private half is lost."""
    packed = make_packed(ada)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", []
    url_of = f"{BUNDLES}/{packed.bundle.pk}/licenses"
    kids = [
        licences.parse(via(ada).post(url_of, {"deviceId": packed.device.pk}).json()["data"]["licenseEnvelope"]).key_id
        for _ in range(2)
    ]
    assert kids[0] == kids[1] != licences.parse(packed.envelope).key_id
    assert via(ada).post(packed.mount_url, packed.body).status_code == 201


# --- Refusals, in their order ---


@pytest.mark.parametrize("value", [None, 1, [], ""])
def test_a_device_must_be_named(via: Via, ada: EndUser, value: Any) -> None:
    bundle, _, _ = make_taken(ada)
    assert_refused(via(ada).post(url(bundle), {"deviceId": value}), 400, "request.invalid", ["/deviceId"])


@pytest.mark.parametrize(
    "value", ["tomorrow", 1, "2026-13-01T00:00:00Z", "2020-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
)
def test_its_end_must_be_a_time_within_a_year(via: Via, ada: EndUser, value: Any) -> None:
    bundle, device, _ = make_taken(ada)
    body = {"deviceId": device.pk, "expiresAt": value}
    assert_refused(via(ada).post(url(bundle), body), 400, "request.invalid", ["/expiresAt"])


def test_its_end_must_not_be_now(via: Via, ada: EndUser) -> None:
    bundle, device, _ = make_taken(ada)
    body = {"deviceId": device.pk, "expiresAt": instant(now())}
    assert_refused(via(ada).post(url(bundle), body), 400, "request.invalid", ["/expiresAt"])


def test_an_unknown_bundle_is_not_found(via: Via, ada: EndUser, dan: EndUser) -> None:
    device, (foreign, _, _) = make.make_device(ada, trusted=True), make_taken(dan)
    for bundle_id in (NO_BUNDLE, foreign.pk):
        answer = via(ada).post(f"{BUNDLES}/{bundle_id}/licenses", {"deviceId": device.pk})
        assert_refused(answer, 404, "bundle.not_found")


def test_a_revoked_bundle_gets_no_licences(via: Via, ada: EndUser, cleo: User) -> None:
    bundle, device, _ = make_taken(ada)
    via(cleo).post(f"{BUNDLES}/{bundle.pk}/revoke")
    for who in (ada, cleo):
        assert_refused(via(who).post(url(bundle), {"deviceId": device.pk}), 403, "bundle.revoked")


def test_a_learners_device_is_their_own(via: Via, ada: EndUser, ben: EndUser, dan: EndUser, cleo: User) -> None:
    bundle, _, _ = make_taken(ada)
    bens, dans = make.make_device(ben, trusted=True), make.make_device(dan, trusted=True)
    for device_id in (NO_DEVICE, bens.pk, dans.pk):
        assert_refused(via(ada).post(url(bundle), {"deviceId": device_id}), 404, "device.not_found")
    for device_id in (NO_DEVICE, dans.pk):
        assert_refused(via(cleo).post(url(bundle), {"deviceId": device_id}), 404, "device.not_found")


def test_a_learners_device_must_be_trusted(via: Via, ada: EndUser) -> None:
    bundle, device, _ = make_taken(ada, trusted=False)
    assert_refused(via(ada).post(url(bundle), {"deviceId": device.pk}), 403, "device.not_trusted")


def test_a_learner_must_be_enrolled_in_the_version(via: Via, ada: EndUser, ben: EndUser) -> None:
    _, device, _ = make_taken(ada)
    other, _, _ = make_taken(ben)
    assert_refused(via(ada).post(url(other), {"deviceId": device.pk}), 404, "enrollment.not_found")


def test_a_learners_enrollment_must_be_active(via: Via, ada: EndUser) -> None:
    """One of several is enough."""
    revoked = make.make_enrollment(ada, status="revoked")
    bundle, device = make.make_bundle(revoked.course_version), make.make_device(ada, trusted=True)
    assert_refused(via(ada).post(url(bundle), {"deviceId": device.pk}), 403, "enrollment.revoked")
    make.make_enrollment(ada, revoked.course_version)
    assert via(ada).post(url(bundle), {"deviceId": device.pk}).status_code == 201


def test_a_refused_licence_leaves_nothing(via: Via, ada: EndUser) -> None:
    bundle, device, _ = make_taken(ada, trusted=False)
    via(ada).post(url(bundle), {"deviceId": device.pk})
    with binding.bound("demo"):
        assert (License.objects.count(), LicenseKey.objects.count()) == (0, 0)


def test_a_retry_gets_the_same_licence(via: Via, ada: EndUser) -> None:
    bundle, device, _ = make_taken(ada)
    key = {"Idempotency_Key": "01JDXW4Z9M3V5T8Q2R7N6P0ABC"}
    first, again = (via(ada).post(url(bundle), {"deviceId": device.pk}, **key) for _ in range(2))
    assert first.content == again.content
    assert only_license().bundle_id == bundle.pk
