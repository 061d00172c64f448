"""`/api/v1/bundles`: have a course version built, look at it, revoke it (contract 9, 12)."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.db.models.functions import Now
from pytest_httpserver import HTTPServer

from apps.accounts.models import User
from apps.delivery.models import Bundle, BundleRevocation
from apps.delivery.services import bundles
from apps.events.models import OutboxEvent
from apps.jobs import work
from apps.jobs.models import Job
from apps.kernel.clock import instant, now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.delivery.described import assert_refused, data_described
from tests.delivery.offline import (
    BUNDLES,
    NO_BUNDLE,
    VTT,
    build,
    bundle,
    content_of,
    index_of,
    make_filmed,
    make_packed,
    make_version_of,
    mp4,
    unpacked,
)

pytestmark = pytest.mark.django_db(transaction=True)

NO_VERSION = "cv_01JDXW4Z9M3V5T8Q2R7N6P0ABC"
Via = Callable[..., Any]


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media" / "bundles"


def files_in(store: Path) -> list[Path]:
    return [path for path in store.rglob("*") if path.is_file()]


def told(bundle_id: str) -> list[str]:
    with binding.bound("demo"):
        return list(
            OutboxEvent.objects.filter(subject_id=bundle_id).order_by("id").values_list("event_type", flat=True)
        )


# --- Build ---


def test_a_course_version_becomes_a_file(via: Via, cleo: User, demo: Client, store: Path) -> None:
    lesson = make_filmed(demo, title={"en": "Balance", "zh-Hant": "平衡"}, duration=90)
    version = make_version_of(demo, lesson)
    caller = via(cleo)
    made = data_described(caller.post(BUNDLES, {"courseVersionId": version.pk}), 201)
    assert re.fullmatch(r"bnd_[0-9A-HJKMNP-TV-Z]{26}", made["id"])
    assert made == {
        "id": made["id"],
        "courseVersionId": version.pk,
        "status": "building",
        "checksum": None,
        "size": None,
        "problem": None,
        "createdAt": instant(bundle(made["id"]).created_at),
        "revokedAt": None,
    }
    assert build(made["id"]).created_by == "cleo"

    ready = data_described(caller.get(f"{BUNDLES}/{made['id']}"))
    data = content_of(caller.get(f"{BUNDLES}/{made['id']}/download"))
    checksum = f"sha256-{hashlib.sha256(data).hexdigest()}"
    assert ready == {**made, "status": "ready", "checksum": checksum, "size": len(data)}
    assert told(made["id"]) == ["delivery.bundle.built.v1"]
    assert len(files_in(store)) == 1

    film, subtitle = f"media/{hashlib.sha256(mp4()).hexdigest()}.mp4", f"subtitles/{lesson.id}.en.vtt"
    files = unpacked(data)
    assert list(files) == ["course.json", "manifest.json", film, subtitle]
    assert (files[film], files[subtitle]) == (mp4(), VTT)
    assert index_of(files) == {
        "format": 1,
        "course": {"id": version.course_id, "title": version.course.title},
        "courseVersion": {"id": version.pk, "number": 1},
        "lessons": {
            lesson.id: {
                "title": {"en": "Balance", "zh-Hant": "平衡"},
                "duration": 90,
                "film": film,
                "onlineOnly": False,
                "subtitles": {"en": subtitle},
            }
        },
        "files": {
            film: {"size": len(mp4()), "sha256": hashlib.sha256(mp4()).hexdigest()},
            subtitle: {"size": len(VTT), "sha256": hashlib.sha256(VTT).hexdigest()},
        },
    }


def test_a_course_without_films_is_its_manifest(via: Via, cleo: User, demo: Client) -> None:
    version = make.make_course_version(demo)
    made = via(cleo).post(BUNDLES, {"courseVersionId": version.pk}).json()["data"]
    assert build(made["id"]).status == "ready"
    files = unpacked(content_of(via(cleo).get(f"{BUNDLES}/{made['id']}/download")))
    assert list(files) == ["course.json", "manifest.json"]
    assert orjson.loads(files["manifest.json"]) == make.a_manifest()


def test_a_version_may_have_several_bundles_of_the_same_bytes(via: Via, cleo: User, demo: Client) -> None:
    version = make_version_of(demo, make_filmed(demo, "b"), make_filmed(demo, "a", mp4(b"other")))
    made = [via(cleo).post(BUNDLES, {"courseVersionId": version.pk}).json()["data"]["id"] for _ in range(2)]
    first, second = build(made[0]), bundle(made[1])
    assert first.checksum == second.checksum
    assert (first.status, first.size, first.key == second.key) == ("ready", second.size, False)


def test_only_administrators_have_bundles_built(via: Via, ada: EndUser) -> None:
    version = make.make_course_version(ada.client)
    assert_refused(via(ada).post(BUNDLES, {"courseVersionId": version.pk}), 403, "authz.forbidden")


@pytest.mark.parametrize("value", [None, 1, [], "", "x" * 65])
def test_a_version_must_be_named(via: Via, cleo: User, value: Any) -> None:
    answer = via(cleo).post(BUNDLES, {"courseVersionId": value})
    assert_refused(answer, 400, "request.invalid", ["/courseVersionId"])


def test_an_unknown_version_is_not_found(via: Via, cleo: User, acme: Client) -> None:
    for version_id in (NO_VERSION, make.make_course_version(acme).pk):
        answer = via(cleo).post(BUNDLES, {"courseVersionId": version_id})
        assert_refused(answer, 404, "course_version.not_found")


def test_a_version_without_a_package_has_nothing_to_take_along(via: Via, cleo: User, demo: Client) -> None:
    version = make.make_course_version(demo, packaged=False)
    answer = via(cleo).post(BUNDLES, {"courseVersionId": version.pk})
    assert_refused(answer, 422, "play_package.not_found")
    with binding.bound("demo"):
        assert not Job.objects.filter(kind=bundles.BUILD).exists()


# --- Builds that fail ---


def test_a_build_that_cannot_succeed_says_why_and_can_be_asked_for_again(
    via: Via, cleo: User, demo: Client, store: Path
) -> None:
    lesson = make.make_lesson(demo, title={"en": 'Chair "club"'}, video_urls=["/api/media/demo/films/gone.mp4"])
    version = make_version_of(demo, lesson)
    made = via(cleo).post(BUNDLES, {"courseVersionId": version.pk}).json()["data"]
    assert build(made["id"]).status == "failed"
    failed = data_described(via(cleo).get(f"{BUNDLES}/{made['id']}"))
    problem = "The film of \"Chair 'club'\" cannot be taken along. Media not found"
    assert failed == {**made, "status": "failed", "problem": problem}
    assert files_in(store) == []
    assert_refused(via(cleo).get(f"{BUNDLES}/{made['id']}/download"), 409, "bundle.not_ready")

    make.make_media(demo, "demo/films/gone.mp4", mp4(), "video/mp4")
    with binding.bound("demo"), binding.atomic():
        again = bundles.rebuild_bundle(client_id="demo", bundle_id=made["id"], now=now())
    assert (again.status, again.problem) == ("building", "")
    assert build(made["id"]).status == "ready"
    assert len(files_in(store)) == 1


def test_a_host_that_never_answers_is_given_up(
    via: Via, cleo: User, demo: Client, httpserver: HTTPServer, settings: Any
) -> None:
    settings.FETCH_LOOPBACK = True
    httpserver.expect_request("/film.mp4").respond_with_data(b"", status=503)
    lesson = make.make_lesson(demo, title={"en": "Stand up"}, video_urls=[httpserver.url_for("/film.mp4")])
    made = via(cleo).post(BUNDLES, {"courseVersionId": make_version_of(demo, lesson).pk}).json()["data"]
    statuses = []
    for _ in range(6):
        statuses.append(build(made["id"]).status)
        with binding.bound("demo"):
            Job.objects.filter(subject_id=made["id"], state="waiting").update(next_attempt_at=Now())
    assert statuses == ["building"] * 5 + ["failed"]
    problem = 'The film of "Stand up" cannot be taken along. The host answers 503 instead of the file.'
    assert bundle(made["id"]).problem == problem


def test_only_a_failed_bundle_is_built_again(demo: Client) -> None:
    version = make.make_course_version(demo)
    for status in ("building", "ready"):
        row = make.make_bundle(version, status=status)
        with binding.bound("demo"), binding.atomic(), pytest.raises(bundles.BundleNotFailed):
            bundles.rebuild_bundle(client_id="demo", bundle_id=row.pk, now=now())


def test_a_build_that_was_overtaken_leaves_no_file(demo: Client, store: Path) -> None:
    row = make.make_bundle(make.make_course_version(demo), status="building")
    with binding.bound("demo"):

        @contextmanager
        def overtaken() -> Iterator[None]:
            with binding.atomic():
                values = {"key": "bundles/other", "checksum": "sha256-0", "size": 1, "finished_at": now()}
                Bundle.objects.filter(pk=row.pk).update(status="ready", **values)
                yield

        bundles.build_bundle(client_id="demo", bundle_id=row.pk, now=now(), finishing=overtaken)
        assert bundle(row.pk).key == "bundles/other"
        assert files_in(store) == []
        bundles.build_bundle(client_id="demo", bundle_id=row.pk, now=now(), finishing=binding.atomic)
        assert bundle(row.pk).key == "bundles/other"


def test_a_build_whose_end_fails_leaves_no_file(demo: Client, store: Path) -> None:
    row = make.make_bundle(make.make_course_version(demo), status="building")

    @contextmanager
    def superseded() -> Iterator[None]:
        with binding.atomic():
            yield
            raise work.Superseded

    with binding.bound("demo"), pytest.raises(work.Superseded):
        bundles.build_bundle(client_id="demo", bundle_id=row.pk, now=now(), finishing=superseded)
    assert (bundle(row.pk).status, files_in(store)) == ("building", [])


def test_what_a_crash_leaves_is_deleted_a_day_later(via: Via, cleo: User, demo: Client, store: Path) -> None:
    version = make.make_course_version(demo)
    made = via(cleo).post(BUNDLES, {"courseVersionId": version.pk}).json()["data"]
    build(made["id"])
    [kept] = files_in(store)
    left = kept.with_name("left")
    left.write_bytes(b"half of a zip")
    assert bundles.purge(now=now()) == 0
    assert bundles.purge(now=now() + timedelta(days=2)) == 1
    assert files_in(store) == [kept]


def test_a_store_that_takes_nothing_is_tried_again(
    via: Via, cleo: User, demo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    version = make.make_course_version(demo)
    made = via(cleo).post(BUNDLES, {"courseVersionId": version.pk}).json()["data"]
    monkeypatch.setattr("apps.catalog.local_objects.LocalObjects._save", full)
    assert build(made["id"]).status == "building"
    with binding.bound("demo"):
        job = Job.objects.get(subject_id=made["id"])
    assert (job.state, job.error) == ("waiting", "The file cannot be stored just now")


# --- Look at it ---


def test_a_learner_sees_what_they_have_a_licence_for(
    via: Via, ada: EndUser, ben: EndUser, dan: EndUser, cleo: User
) -> None:
    packed, foreign = make_packed(ada), make_packed(dan)
    for who in (ada, cleo):
        assert data_described(via(who).get(f"{BUNDLES}/{packed.bundle.pk}"))["id"] == packed.bundle.pk
    assert_refused(via(ben).get(f"{BUNDLES}/{packed.bundle.pk}"), 404, "bundle.not_found")
    for bundle_id in (NO_BUNDLE, foreign.bundle.pk):
        for who in (ada, cleo):
            assert_refused(via(who).get(f"{BUNDLES}/{bundle_id}"), 404, "bundle.not_found")


def test_a_bundle_is_looked_up_in_one_statement(via: Via, ada: EndUser, django_assert_num_queries: Any) -> None:
    packed, caller = make_packed(ada), via(ada)
    caller.get(f"{BUNDLES}/{packed.bundle.pk}")
    with django_assert_num_queries(1):
        caller.get(f"{BUNDLES}/{packed.bundle.pk}")


# --- Revoke ---


def test_a_revoked_bundle_stays_revoked(via: Via, cleo: User, demo: Client) -> None:
    row = make.make_bundle(make.make_course_version(demo))
    caller = via(cleo)
    shown = caller.get(f"{BUNDLES}/{row.pk}").json()["data"]
    revoked = data_described(caller.post(f"{BUNDLES}/{row.pk}/revoke", {"reason": "An error in lesson 3"}))
    with binding.bound("demo"):
        [revocation] = BundleRevocation.objects.all()
    assert revoked == {**shown, "revokedAt": instant(revocation.revoked_at)}
    assert (revocation.reason, revocation.revoked_by) == ("An error in lesson 3", "cleo")
    again = data_described(caller.post(f"{BUNDLES}/{row.pk}/revoke", {"reason": "Another"}))
    assert again == revoked == data_described(caller.get(f"{BUNDLES}/{row.pk}"))
    assert told(row.pk) == ["delivery.bundle.revoked.v1"]
    with binding.bound("demo"):
        assert BundleRevocation.objects.get().reason == "An error in lesson 3"


def test_no_reason_need_be_given(via: Via, cleo: User, demo: Client) -> None:
    row = make.make_bundle(make.make_course_version(demo))
    assert data_described(via(cleo).post(f"{BUNDLES}/{row.pk}/revoke"))["revokedAt"]


def test_only_administrators_revoke(via: Via, ada: EndUser) -> None:
    packed = make_packed(ada)
    assert_refused(via(ada).post(f"{BUNDLES}/{packed.bundle.pk}/revoke", {}), 403, "authz.forbidden")


def test_a_reason_is_a_text_of_500_letters(via: Via, cleo: User, demo: Client) -> None:
    row = make.make_bundle(make.make_course_version(demo))
    for reason in (1, "x" * 501):
        answer = via(cleo).post(f"{BUNDLES}/{row.pk}/revoke", {"reason": reason})
        assert_refused(answer, 400, "request.invalid", ["/reason"])


def test_an_unknown_bundle_is_not_revoked(via: Via, cleo: User, dan: EndUser) -> None:
    for bundle_id in (NO_BUNDLE, make_packed(dan).bundle.pk):
        assert_refused(via(cleo).post(f"{BUNDLES}/{bundle_id}/revoke", {}), 404, "bundle.not_found")
