"""What can be taken along in the demo?"""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from apps.catalog import media
from apps.delivery.models import Bundle, BundleRevocation, Device, License
from apps.delivery.services.revoking import revoke_bundle
from apps.jobs.models import Job
from apps.kernel.clock import now
from apps.ops.demo import bundles, courses, seeding
from apps.ops.demo.lessons import LESSONS, PEOPLE
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests.caller import Caller

pytestmark = pytest.mark.django_db

As = Callable[..., Caller]


@pytest.fixture
def seeded() -> None:
    seeding.seed_clients()
    for person in PEOPLE:
        seeding.seed_person(person)
    for lesson in LESSONS:
        seeding.seed_lesson(lesson)
    courses.seed_courses()
    bundles.seed_bundles()


def the_bundle() -> Bundle:
    with binding.bound(binding.ALL_CLIENTS):
        return Bundle.objects.get(revocation__isnull=True)


def test_there_is_a_ready_bundle_with_the_films_of_the_course(seeded: None) -> None:
    bundle = the_bundle()
    assert (bundle.client_id, bundle.status, bundle.problem) == ("demo", "ready", "")
    assert bundle.size is not None
    assert bundle.size > 500_000
    with media.objects().open_at(bundle.key, 0, bundle.size) as file:
        assert file.read(4) == b"PK\x03\x04"


def test_its_licence_is_printed_and_can_be_mounted_with(seeded: None, as_: As) -> None:
    """As somebody does who has nothing but what `--show` prints."""
    shown = StringIO()
    call_command("seed_demo", show=True, stdout=shown)
    told = {line.split()[1]: line.split() for line in shown.getvalue().splitlines() if line.startswith("demo")}
    (bundle_id, device_id), (envelope, whose) = (told["bundle"][2], told["device"][2]), told["licence"][2:]
    assert (bundle_id, whose) == (the_bundle().pk, "user_001")
    with binding.bound("demo"):
        ada = EndUser.objects.get(uid="user_001")
    enrollment = next(row.id for row in courses.seeded() if row.kind == "enrollment" and row.whose == "user_001")
    caller = as_(ada)

    def post(path: str, body: object, key: str) -> dict[str, str]:
        answer = caller.post(
            f"/api/v1/{path}", body, X_Tenant_Id="demo", Idempotency_Key=f"01JDXW4Z9M3V5T8Q2R7N6P0AB{key}"
        )
        assert answer.status_code == 201, answer.json()
        return dict(answer.json()["data"])

    body = {"enrollmentId": enrollment, "courseVersionId": the_bundle().course_version_id, "deviceId": device_id}
    session = post("play-sessions", body, "1")
    checksum = caller.get(f"/api/v1/bundles/{bundle_id}", X_Tenant_Id="demo").json()["data"]["checksum"]
    body = {"bundleId": bundle_id, "licenseEnvelope": envelope, "bundleChecksum": checksum}
    assert post(f"play-sessions/{session['id']}/mount-offline", body, "2")["bundleId"] == bundle_id


def test_a_second_time_changes_nothing(seeded: None) -> None:
    before = bundles.seeded()
    bundles.seed_bundles()
    assert bundles.seeded() == before
    with binding.bound(binding.ALL_CLIENTS):
        assert (Bundle.objects.count(), License.objects.count()) == (1, 1)


def test_what_was_revoked_is_made_anew(seeded: None) -> None:
    first = the_bundle()
    with binding.bound("demo"), binding.atomic():
        revoke_bundle(client_id="demo", bundle_id=first.pk, author="platform", now=now())
    assert bundles.seeded() == []
    bundles.seed_bundles()
    assert (the_bundle().checksum, the_bundle().pk == first.pk) == (first.checksum, False)
    with binding.bound("demo"):
        assert BundleRevocation.objects.get().bundle_id == first.pk


def test_a_licence_that_ends_soon_is_issued_anew(seeded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    later = now() + timedelta(days=340)
    monkeypatch.setattr(bundles, "now", lambda: later)
    bundles.seed_bundles()
    with binding.bound("demo"):
        assert License.objects.filter(device=Device.objects.get()).count() == 2
        assert License.objects.order_by("-pk").first().expires_at > later + timedelta(days=360)  # type: ignore[union-attr]


def test_where_the_store_takes_nothing_a_job_builds_it_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("apps.catalog.local_objects.LocalObjects._save", full)
    seeding.seed()
    assert the_bundle().status == "building"
    assert bundles.seeded() == []
    with binding.bound("demo"):
        assert Job.objects.get(subject_id=the_bundle().pk).state == "waiting"
