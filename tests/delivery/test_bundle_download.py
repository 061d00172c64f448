"""`GET /api/v1/bundles/{id}/download`: the file, and how a download that was cut off goes on (contract 9, 12)."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from apps.accounts.models import User
from apps.catalog import media
from apps.delivery.models import Bundle, Device
from apps.delivery.services import bundles
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.catalog.media.conftest import bucket, s3_server  # noqa: F401 - fixtures
from tests.delivery.described import assert_refused
from tests.delivery.offline import (
    BUNDLES,
    NO_BUNDLE,
    bundle,
    content_of,
    make_filmed,
    make_packed,
    make_version_of,
    unpacked,
)

pytestmark = pytest.mark.django_db

Via = Callable[..., Any]


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


class Stored(NamedTuple):
    """A bundle with its file, which ada has a licence for."""

    bundle: Bundle
    device: Device
    data: bytes

    @property
    def url(self) -> str:
        return f"{BUNDLES}/{self.bundle.pk}/download"

    @property
    def etag(self) -> str:
        return f'"{self.bundle.checksum}"'


@pytest.fixture
def stored(ada: EndUser, store: Path) -> Stored:
    version = make_version_of(ada.client, make_filmed(ada.client))
    row = make.make_bundle(version, status="building")
    with binding.bound("demo"):
        bundles.build_bundle(client_id="demo", bundle_id=row.pk, now=now(), finishing=binding.atomic)
    ready, device = bundle(row.pk), make.make_device(ada, trusted=True)
    make.make_license(ready, device)
    return Stored(ready, device, (store / ready.key).read_bytes())


def test_whoever_has_a_licence_downloads_it(via: Via, ada: EndUser, stored: Stored) -> None:
    answer = via(ada).get(stored.url)
    data = content_of(answer)
    assert answer.status_code == 200
    assert data == stored.data
    assert f"sha256-{hashlib.sha256(data).hexdigest()}" == stored.bundle.checksum
    assert "course.json" in unpacked(data)
    told = {name: answer.headers[name] for name in ("Content-Type", "Content-Length", "ETag", "Accept-Ranges")}
    assert told == {
        "Content-Type": "application/zip",
        "Content-Length": str(len(stored.data)),
        "ETag": stored.etag,
        "Accept-Ranges": "bytes",
    }
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{stored.bundle.pk}.zip"'
    assert answer.headers["Cache-Control"] == "private, no-cache, no-transform"
    assert {"Authorization", "X-Tenant-Id"} <= set(answer.headers["Vary"].split(", "))


def test_administrators_download_all(via: Via, cleo: User, root: User, stored: Stored) -> None:
    for who in (cleo, root):
        assert content_of(via(who).get(stored.url)) == stored.data


def test_its_head_is_told_alone(via: Via, ada: EndUser, stored: Stored) -> None:
    answer = via(ada).call("HEAD", stored.url, None, None, {"Range": "bytes=0-1"})
    assert (answer.status_code, content_of(answer)) == (200, b"")
    assert (answer.headers["Content-Length"], answer.headers["ETag"]) == (str(len(stored.data)), stored.etag)


def test_a_download_that_was_cut_off_goes_on(via: Via, ada: EndUser, stored: Stored) -> None:
    first = via(ada).get(stored.url, Range="bytes=0-99")
    rest = via(ada).get(stored.url, Range="bytes=100-", If_Range=stored.etag)
    assert (first.status_code, rest.status_code) == (206, 206)
    assert content_of(first) + content_of(rest) == stored.data
    size = len(stored.data)
    assert first.headers["Content-Range"] == f"bytes 0-99/{size}"
    assert rest.headers["Content-Range"] == f"bytes 100-{size - 1}/{size}"
    last = via(ada).get(stored.url, Range="bytes=-10")
    assert content_of(last) == stored.data[-10:]


def test_the_rest_of_another_file_is_of_no_use(via: Via, ada: EndUser, stored: Stored) -> None:
    answer = via(ada).get(stored.url, Range="bytes=100-", If_Range='"sha256-0"')
    assert (answer.status_code, content_of(answer)) == (200, stored.data)


def test_whoever_has_it_is_not_sent_it_again(via: Via, ada: EndUser, stored: Stored) -> None:
    answer = via(ada).get(stored.url, If_None_Match=stored.etag)
    assert (answer.status_code, content_of(answer), answer.headers["ETag"]) == (304, b"", stored.etag)


def test_a_range_behind_the_end_is_told_where_that_is(via: Via, ada: EndUser, stored: Stored) -> None:
    answer = via(ada).get(stored.url, Range=f"bytes={len(stored.data)}-")
    assert (answer.status_code, answer.json()["code"]) == (416, "request.range_not_satisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{len(stored.data)}"
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_another_file_than_the_one_wanted(via: Via, ada: EndUser, stored: Stored) -> None:
    answer = via(ada).get(stored.url, If_Match='"sha256-0"')
    assert (answer.status_code, answer.json()["code"]) == (412, "request.precondition_failed")


def test_a_bucket_keeps_it_as_well(via: Via, cleo: User, demo: Client, request: pytest.FixtureRequest) -> None:
    store = request.getfixturevalue("bucket")
    row = make.make_bundle(make_version_of(demo, make_filmed(demo)), status="building")
    with binding.bound("demo"):
        bundles.build_bundle(client_id="demo", bundle_id=row.pk, now=now(), finishing=binding.atomic)
    ready = bundle(row.pk)
    data = content_of(via(cleo).get(f"{BUNDLES}/{row.pk}/download"))
    assert f"sha256-{hashlib.sha256(data).hexdigest()}" == ready.checksum
    part = via(cleo).get(f"{BUNDLES}/{row.pk}/download", Range="bytes=100-199")
    assert (part.status_code, content_of(part)) == (206, data[100:200])
    assert ready.key in [each.key for each in store.objects.all()]
    assert bundles.purge(now=now() + timedelta(days=2)) == 0
    left = store.put_object(Key="bundles/demo/00/left", Body=b"half")
    assert bundles.purge(now=now() + timedelta(days=2)) == 1
    assert left.key not in [each.key for each in store.objects.all()]


# --- Refusals, in their order ---


def test_a_bundle_that_the_caller_does_not_see_is_not_found(
    via: Via, ada: EndUser, ben: EndUser, dan: EndUser, cleo: User, stored: Stored
) -> None:
    assert_refused(via(ben).get(stored.url), 404, "bundle.not_found")
    for bundle_id in (NO_BUNDLE, make_packed(dan).bundle.pk):
        for who in (ada, cleo):
            assert_refused(via(who).get(f"{BUNDLES}/{bundle_id}/download"), 404, "bundle.not_found")


def test_a_revoked_bundle_is_not_given_away(via: Via, ada: EndUser, cleo: User, stored: Stored) -> None:
    via(cleo).post(f"{BUNDLES}/{stored.bundle.pk}/revoke")
    for who in (ada, cleo):
        assert_refused(via(who).get(stored.url), 403, "bundle.revoked")


def test_a_licence_that_has_expired_gives_nothing_away(via: Via, ada: EndUser, cleo: User) -> None:
    """It can be read of; and one of several that is good is enough."""
    long_ago = now() - timedelta(days=3)
    packed = make_packed(ada, issued_at=long_ago, expires_at=long_ago + timedelta(days=1))
    url = f"{BUNDLES}/{packed.bundle.pk}"
    assert via(ada).get(url).status_code == 200
    assert_refused(via(ada).get(f"{url}/download"), 403, "license.expired")
    make.make_license(packed.bundle, packed.device)
    assert_refused(via(ada).get(f"{url}/download"), 503, "server.unavailable")


@pytest.mark.parametrize("status", ["building", "failed"])
def test_what_is_not_ready_cannot_be_downloaded(via: Via, ada: EndUser, cleo: User, status: str) -> None:
    row = make.make_bundle(make.make_course_version(ada.client), status=status)
    make.make_license(row, make.make_device(ada))
    for who in (ada, cleo):
        assert_refused(via(who).get(f"{BUNDLES}/{row.pk}/download"), 409, "bundle.not_ready")


def test_a_store_that_has_lost_it_is_no_failure_of_the_caller(
    via: Via, ada: EndUser, store: Path, stored: Stored
) -> None:
    (store / stored.bundle.key).unlink()
    answer = via(ada).get(stored.url)
    assert_refused(answer, 503, "server.unavailable")
    assert answer.headers["Retry-After"] == "5"


def test_its_file_is_not_among_the_media(via: Via, ada: EndUser, cleo: User, stored: Stored) -> None:
    """Neither by its place in the store, nor to whoever made an address of that."""
    key = stored.bundle.key
    assert key.startswith("bundles/demo/")
    for path in (key, f"demo/{key}", key.removeprefix("bundles/")):
        for who in (ada, cleo):
            assert via(who).get(media.address_of(path)).status_code == 404


def test_nobody_downloads_without_a_credential(anonymous: Any, stored: Stored) -> None:
    assert_refused(anonymous.get(stored.url, X_Tenant_Id="demo"), 401, "auth.required")
