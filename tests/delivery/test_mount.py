"""`POST /api/v1/play-sessions/{id}/mount-offline`: a device plays a bundle without a network (004 3.9, contract 9)."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.delivery import licences
from apps.delivery.models import Device, License, LicenseKey, Mount
from apps.delivery.rates import MOUNTS
from apps.delivery.services import licensing
from apps.delivery.services.revoking import revoke_bundle
from apps.events.models import OutboxEvent
from apps.kernel import sealing
from apps.kernel.clock import instant, now
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.delivery import test_licences as forgeries
from tests.delivery import walking
from tests.delivery.described import assert_refused, data_described
from tests.delivery.offline import NO_BUNDLE, Packed, make_packed, mount
from tests.delivery.test_licences import CLAIMS, OF_A_TEXT, encoded
from tests.delivery.walking import NOWHERE, URL, Via, history, leave, stored

pytestmark = pytest.mark.django_db


def mounts() -> int:
    with binding.bound(binding.ALL_CLIENTS):
        return Mount.objects.count()


def assert_not_mounted(answer: Any, packed: Packed, status: int, code: str) -> None:
    assert_refused(answer, status, code)
    assert mounts() == 0
    assert (stored(packed.session.pk).version, stored(packed.session.pk).is_offline) == (1, False)
    walking.assert_unchanged(packed.session)


def told(bundle_id: str) -> list[tuple[str, Any]]:
    with binding.bound("demo"):
        events = OutboxEvent.objects.filter(subject_id=bundle_id).order_by("id")
        return [(event.event_type, event.payload) for event in events]


def trust(device: Device, trusted: bool) -> None:
    with binding.bound(device.client_id):
        Device.objects.filter(pk=device.pk).update(trusted=trusted)


def revoke(packed: Packed) -> None:
    client_id = packed.bundle.client_id
    with binding.bound(client_id), binding.atomic():
        revoke_bundle(client_id=client_id, bundle_id=packed.bundle.pk, author="cleo", now=now())


def make_forgeable(user: EndUser, algorithm: str) -> Packed:
    """The rows that the licences of test_licences.py speak of, and their key."""
    version = make.make_course_version(user.client)
    device = make.make_device(user, id=CLAIMS.device_id, trusted=True)
    session = make.make_play_session(make.make_enrollment(user, version), device=device)
    bundle = make.make_bundle(version, id=CLAIMS.bundle_id, checksum=CLAIMS.checksum)
    pair = forgeries.KEYS[algorithm]
    with binding.bound("demo"):
        key = LicenseKey.objects.create(
            id=forgeries.KEY_ID,
            client=user.client,
            algorithm=algorithm,
            sealed=sealing.seal(json.dumps(pair.private), purpose="license_key"),
            public=pair.public,
            created_at=now(),
        )
        issued, expires = (datetime.fromtimestamp(each, UTC) for each in (CLAIMS.issued_at, CLAIMS.expires_at))
        row = License.objects.create(
            id=CLAIMS.license_id,
            client=user.client,
            bundle=bundle,
            device=device,
            key=key,
            issued_at=issued,
            expires_at=expires,
        )
    return Packed(session, device, bundle, row, "")


def test_a_device_mounts_a_bundle(via: Via, ada: EndUser) -> None:
    packed = make_packed(ada)
    answer = via(ada).post(packed.mount_url, packed.body)
    data = data_described(answer, 201)
    assert re.fullmatch(r"mnt_[0-9A-HJKMNP-TV-Z]{26}", data["mountId"])
    assert data == {
        "mountId": data["mountId"],
        "bundleId": packed.bundle.pk,
        "expiresAt": instant(packed.license.expires_at),
        "signatureValid": True,
    }
    session = stored(packed.session.pk)
    assert (session.is_offline, session.version, session.lamport, session.state) == (True, 2, 2, "active")
    assert answer.headers["ETag"] == '"2"'
    assert history(session.pk) == [(2, "mounted", "ada")]
    row = mount(data["mountId"])
    assert (row.device_id, row.license_id, row.unmounted_at) == (packed.device.pk, packed.license.pk, None)
    payload = {
        "mountId": data["mountId"],
        "bundleId": packed.bundle.pk,
        "deviceId": packed.device.pk,
        "playSessionId": session.pk,
        "userId": "ada",
    }
    assert told(packed.bundle.pk) == [("delivery.bundle.mounted.v1", payload)]


def test_a_paused_session_mounts_too(via: Via, ada: EndUser) -> None:
    packed = make_packed(ada, state="paused")
    assert via(ada).post(packed.mount_url, packed.body).status_code == 201
    assert stored(packed.session.pk).state == "paused"


def test_a_licence_by_either_algorithm_is_good(via: Via, ada: EndUser, settings: Any) -> None:
    settings.LICENSE_ALGORITHM = "ES256"
    packed = make_packed(ada)
    assert via(ada).post(packed.mount_url, packed.body).status_code == 201


def test_a_licence_that_was_issued_while_the_bundle_was_built_is_good(via: Via, ada: EndUser) -> None:
    packed = make_packed(ada)
    building = make.make_bundle(packed.bundle.course_version, status="building")
    _, envelope = make.make_license(building, packed.device)
    body = {**packed.body, "bundleId": building.pk, "licenseEnvelope": envelope}
    assert_not_mounted(via(ada).post(packed.mount_url, body), packed, 422, "bundle.integrity_failed")
    with binding.bound("demo"):
        building.status, building.finished_at, building.size = "ready", now(), 6
        building.key, building.checksum = "bundles/x", packed.bundle.checksum
        building.save()
    assert via(ada).post(packed.mount_url, body).status_code == 201


# --- Refusals, in their order ---


def test_only_learners_mount(via: Via, ada: EndUser, cleo: User) -> None:
    packed = make_packed(ada)
    assert_not_mounted(via(cleo).post(packed.mount_url, packed.body), packed, 403, "authz.forbidden")


def test_a_key_is_needed(via: Via, ada: EndUser) -> None:
    packed = make_packed(ada)
    answer = via(ada).post(packed.mount_url, packed.body, Idempotency_Key="")
    assert_not_mounted(answer, packed, 400, "idempotency.key_invalid")


@pytest.mark.parametrize("field", ["bundleId", "licenseEnvelope", "bundleChecksum"])
@pytest.mark.parametrize("value", [None, 1, [], {}, ""])
def test_a_wrong_shape_is_told_by_its_field(via: Via, ada: EndUser, field: str, value: Any) -> None:
    packed = make_packed(ada)
    answer = via(ada).post(packed.mount_url, {**packed.body, field: value})
    assert_refused(answer, 400, "request.invalid", [f"/{field}"])


def test_the_shape_comes_before_the_session(via: Via, ada: EndUser) -> None:
    assert_refused(via(ada).post(f"{URL}/{NOWHERE}/mount-offline", {}), 400, "request.invalid")


def test_an_unknown_session_is_not_found(via: Via, ada: EndUser, dan: EndUser) -> None:
    packed, foreign = make_packed(ada), make_packed(dan)
    for session_id in (NOWHERE, "pls_1", foreign.session.pk):
        answer = via(ada).post(f"{URL}/{session_id}/mount-offline", packed.body)
        assert_refused(answer, 404, "session.not_found")


def test_anothers_session_is_theirs(via: Via, ada: EndUser, ben: EndUser) -> None:
    packed = make_packed(ada)
    assert_not_mounted(via(ben).post(packed.mount_url, packed.body), packed, 403, "session.not_owner")


@pytest.mark.parametrize("state", ["completed", "abandoned", "failed"])
def test_an_ended_session_mounts_nothing(via: Via, ada: EndUser, state: str) -> None:
    packed = make_packed(ada, state=state)
    assert_not_mounted(via(ada).post(packed.mount_url, packed.body), packed, 409, "session.invalid_state")


def test_another_version_than_the_callers_is_a_conflict(via: Via, ada: EndUser) -> None:
    packed = make_packed(ada)
    answer = via(ada).post(packed.mount_url, packed.body, If_Match='"2"')
    assert_not_mounted(answer, packed, 409, "session.version_conflict")
    assert via(ada).post(packed.mount_url, packed.body, If_Match='"1"').status_code == 201


def test_a_session_without_a_device_has_none_that_is_trusted(via: Via, ada: EndUser) -> None:
    packed = make_packed(ada)
    other = make.make_play_session(make.make_enrollment(ada, packed.bundle.course_version))
    answer = via(ada).post(f"{URL}/{other.pk}/mount-offline", packed.body)
    assert_not_mounted(answer, packed, 403, "device.not_trusted")


def test_a_device_that_is_not_trusted_any_more_mounts_nothing(via: Via, ada: EndUser) -> None:
    packed = make_packed(ada)
    trust(packed.device, False)
    assert_not_mounted(via(ada).post(packed.mount_url, packed.body), packed, 403, "device.not_trusted")


def test_the_eleventh_attempt_of_a_device_in_an_hour_is_too_many(via: Via, ada: EndUser) -> None:
    """Refused ones count, whichever session they are for and whatever was wrong."""
    packed = make_packed(ada)
    other = make.make_play_session(
        make.make_enrollment(ada, packed.bundle.course_version), device=packed.device, state="paused"
    )
    caller, second = via(ada), f"{URL}/{other.pk}/mount-offline"
    wrong = [{"bundleId": NO_BUNDLE}, {"licenseEnvelope": "a.b.c"}, {"bundleChecksum": "sha256-0"}]
    answers = [caller.post((packed.mount_url, second)[n % 2], {**packed.body, **wrong[n % 3]}) for n in range(10)]
    assert [answer.status_code for answer in answers] == [404, 403, 422] * 3 + [404]
    assert answers[-1].headers["RateLimit"].startswith('"bundle_mounts";r=0')
    refused = caller.post(packed.mount_url, packed.body)
    assert_not_mounted(refused, packed, 429, "rate_limited")
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.headers["RateLimit-Policy"] == '"bundle_mounts";q=10;w=3600'


def test_what_is_refused_before_the_device_is_known_takes_nothing(via: Via, ada: EndUser, ben: EndUser) -> None:
    packed = make_packed(ada)
    leave(MOUNTS, packed.device.pk, 1)
    assert via(ben).post(packed.mount_url, packed.body).status_code == 403
    assert via(ada).post(packed.mount_url, {**packed.body, "bundleId": 1}).status_code == 400
    assert via(ada).post(packed.mount_url, packed.body).status_code == 201


def test_a_replay_takes_nothing(via: Via, ada: EndUser) -> None:
    packed = make_packed(ada)
    leave(MOUNTS, packed.device.pk, 1)
    key = {"Idempotency_Key": "01JDXW4Z9M3V5T8Q2R7N6P0ABC"}
    first = via(ada).post(packed.mount_url, packed.body, **key)
    again = via(ada).post(packed.mount_url, packed.body, **key)
    assert (first.status_code, again.status_code, again.headers["Idempotency-Replayed"]) == (201, 201, "true")
    assert first.content == again.content
    assert again.headers["ETag"] == '"2"'
    assert mounts() == 1


def test_an_unknown_bundle_is_not_found(via: Via, ada: EndUser, dan: EndUser) -> None:
    """Nor is one of another tenant, or of another course version than the session's."""
    packed, foreign, other = make_packed(ada), make_packed(dan), make_packed(ada, state="paused")
    for bundle_id in (NO_BUNDLE, "x" * 1000, foreign.bundle.pk, other.bundle.pk):
        answer = via(ada).post(packed.mount_url, {**packed.body, "bundleId": bundle_id})
        assert_not_mounted(answer, packed, 404, "bundle.not_found")


def test_a_revoked_bundle_is_not_mounted(via: Via, ada: EndUser) -> None:
    """Which comes before the licence, however bad that is."""
    packed = make_packed(ada)
    revoke(packed)
    for envelope in (packed.envelope, "nothing"):
        answer = via(ada).post(packed.mount_url, {**packed.body, "licenseEnvelope": envelope})
        assert_not_mounted(answer, packed, 403, "bundle.revoked")


def test_touched_licences_are_not_valid(via: Via, ada: EndUser) -> None:
    """One of each kind; test_licences.py has thousands."""
    packed = make_packed(ada)
    head, body, signature = packed.envelope.split(".")
    key = licences.parse(packed.envelope).key_id
    none = encoded(f'{{"alg":"none","kid":"{key}","typ":"JWT"}}'.encode())
    injected = [
        encoded(f'{{"alg":"EdDSA","kid":"{kid}","typ":"JWT"}}'.encode()) for kid in ("../key", "' OR 1=1 --", "")
    ]
    with_jwk = encoded(f'{{"alg":"EdDSA","kid":"{key}","typ":"JWT","jwk":{{"kty":"OKP"}}}}'.encode())
    touched = [next(mutate(packed.envelope)) for mutate in OF_A_TEXT]
    touched += [f"{none}.{body}.", f"{none}.{body}.{signature}", f"{with_jwk}.{body}.{signature}"]
    touched += [f"{each}.{body}.{signature}" for each in injected]
    touched += [f"{body}.{head}.{signature}", f"{head}.{body}", f" {packed.envelope}", f"{packed.envelope}=", "x"]
    touched += [packed.envelope + "A" * 5000, "\u00e9.\u00e9.\u00e9"]
    for envelope in touched:
        leave(MOUNTS, packed.device.pk, 5)
        answer = via(ada).post(packed.mount_url, {**packed.body, "licenseEnvelope": envelope})
        assert_not_mounted(answer, packed, 403, "license.invalid")
    assert len(touched) == 16


@pytest.mark.parametrize("algorithm", forgeries.ALGORITHMS)
def test_licences_that_were_forged_with_skill_are_not_valid(via: Via, ada: EndUser, algorithm: str) -> None:
    """One of each kind of test_licences.py, by the key that signs there. The untouched one is good, and has expired."""
    packed = make_forgeable(ada, algorithm)
    good = forgeries.signed(algorithm)
    answer = via(ada).post(packed.mount_url, {**packed.body, "licenseEnvelope": good})
    assert_not_mounted(answer, packed, 403, "license.expired")
    kinds = [*(kind(good) for kind in OF_A_TEXT), *(forge(algorithm) for forge in forgeries.OF_AN_ALGORITHM)]
    assert len(kinds) == 8
    for kind in kinds:
        leave(MOUNTS, packed.device.pk, 5)
        answer = via(ada).post(packed.mount_url, {**packed.body, "licenseEnvelope": next(kind)})
        assert_not_mounted(answer, packed, 403, "license.invalid")


def test_a_licence_for_something_else_is_not_valid(via: Via, ada: EndUser, dan: EndUser) -> None:
    """For another bundle, another device, another tenant."""
    packed, foreign = make_packed(ada), make_packed(dan)
    _, other_bundle = make.make_license(make.make_bundle(packed.bundle.course_version), packed.device)
    _, other_device = make.make_license(packed.bundle, make.make_device(ada, trusted=True))
    for envelope in (other_bundle, other_device, foreign.envelope):
        answer = via(ada).post(packed.mount_url, {**packed.body, "licenseEnvelope": envelope})
        assert_not_mounted(answer, packed, 403, "license.invalid")


def test_a_true_signature_for_a_licence_that_nobody_issued_is_not_valid(via: Via, ada: EndUser) -> None:
    """What whoever got hold of a key could make of it: an id that we do not know, or know to end earlier."""
    packed = make_packed(ada)
    with binding.bound("demo"):
        key = packed.license.key
        claims = licences.parse(packed.envelope).claims
        private = json.loads(sealing.unseal(key.sealed, purpose="license_key"))
    for over in (
        {"license_id": "lic_other"},
        {"expires_at": claims.expires_at + 1},
        {"checksum": "sha256-" + "0" * 64},
    ):
        forged = licences.sign(replace(claims, **over), algorithm="EdDSA", key_id=key.pk, private=private)
        answer = via(ada).post(packed.mount_url, {**packed.body, "licenseEnvelope": forged})
        assert_not_mounted(answer, packed, 403, "license.invalid")


def test_a_licence_of_a_key_that_verifies_no_longer_is_not_valid(via: Via, ada: EndUser) -> None:
    packed = make_packed(ada)
    with binding.bound("demo"), binding.atomic():
        time = now()
        licensing.rotate_license_key(client_id="demo", algorithm="ES256", verifies_until=time, author="cleo", now=time)
    answer = via(ada).post(packed.mount_url, packed.body)
    assert_not_mounted(answer, packed, 403, "license.invalid")


def test_a_licence_of_a_retired_key_is_good_until_its_date(via: Via, ada: EndUser) -> None:
    packed = make_packed(ada)
    with binding.bound("demo"), binding.atomic():
        licensing.rotate_license_key(client_id="demo", algorithm="ES256", author="cleo", now=now())
    assert via(ada).post(packed.mount_url, packed.body).status_code == 201


def test_an_expired_licence_is_told_apart(via: Via, ada: EndUser) -> None:
    """There is no leeway; one that is expired and for something else is not valid."""
    long_ago = now() - timedelta(days=2)
    packed = make_packed(ada, issued_at=long_ago, expires_at=long_ago + timedelta(days=1))
    assert_not_mounted(via(ada).post(packed.mount_url, packed.body), packed, 403, "license.expired")
    _, other = make.make_license(
        packed.bundle,
        make.make_device(ada, trusted=True),
        now=long_ago,
        expires_at=long_ago + timedelta(days=1),
    )
    answer = via(ada).post(packed.mount_url, {**packed.body, "licenseEnvelope": other})
    assert_not_mounted(answer, packed, 403, "license.invalid")


def test_a_bundle_is_mounted_once_on_a_device(via: Via, ada: EndUser) -> None:
    """Be it in the same session or another; which comes before the checksum. On another device it can be."""
    packed = make_packed(ada)
    version = packed.bundle.course_version
    assert via(ada).post(packed.mount_url, packed.body).status_code == 201
    other = make.make_play_session(make.make_enrollment(ada, version), device=packed.device, state="paused")
    for url in (packed.mount_url, f"{URL}/{other.pk}/mount-offline"):
        for checksum in (packed.bundle.checksum, "sha256-0"):
            answer = via(ada).post(url, {**packed.body, "bundleChecksum": checksum})
            assert_refused(answer, 409, "bundle.already_mounted")
    tablet = make.make_device(ada, trusted=True)
    there = make.make_play_session(make.make_enrollment(ada, version), device=tablet)
    _, envelope = make.make_license(packed.bundle, tablet)
    answer = via(ada).post(f"{URL}/{there.pk}/mount-offline", {**packed.body, "licenseEnvelope": envelope})
    assert answer.status_code == 201
    assert mounts() == 2


@pytest.mark.parametrize("checksum", ["sha256-" + "0" * 64, "x", "upper", "bare"])
def test_other_bytes_are_not_mounted(via: Via, ada: EndUser, checksum: str) -> None:
    packed = make_packed(ada)
    spelt = {"upper": packed.bundle.checksum.upper(), "bare": packed.bundle.checksum.removeprefix("sha256-")}
    body = {**packed.body, "bundleChecksum": spelt.get(checksum, checksum)}
    assert_not_mounted(via(ada).post(packed.mount_url, body), packed, 422, "bundle.integrity_failed")


# --- A revoked bundle that is mounted ---


def test_a_session_does_not_go_on_with_a_revoked_bundle(via: Via, ada: EndUser) -> None:
    packed = make_packed(ada)
    mount_id = via(ada).post(packed.mount_url, packed.body).json()["data"]["mountId"]
    assert via(ada).post(f"{URL}/{packed.session.pk}/resume").status_code == 200
    revoke(packed)
    assert_refused(via(ada).post(f"{URL}/{packed.session.pk}/resume"), 403, "bundle.revoked")
    assert stored(packed.session.pk).version == 3
    assert via(ada).post(packed.unmount_url, {"mountId": mount_id}).status_code == 200
    assert via(ada).post(f"{URL}/{packed.session.pk}/resume").status_code == 200
