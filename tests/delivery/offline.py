"""A course with films, what a learner needs to take it along, and what a bundle's file has in it."""

import io
import zipfile
from typing import Any, NamedTuple

import orjson

from apps.catalog.models import Lesson
from apps.delivery.models import Bundle, CourseVersion, Device, License, Mount, PlaySession
from apps.jobs import work
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.delivery.walking import URL

BUNDLES = "/api/v1/bundles"
NO_BUNDLE = "bnd_01JDXW4Z9M3V5T8Q2R7N6P0ABC"
NO_DEVICE = "dev_01JDXW4Z9M3V5T8Q2R7N6P0ABC"
VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\nStand up\n"


class Packed(NamedTuple):
    """Somebody's session on their trusted device, a ready bundle of its course version, and a licence for the two."""

    session: PlaySession
    device: Device
    bundle: Bundle
    license: License
    envelope: str

    @property
    def mount_url(self) -> str:
        return f"{URL}/{self.session.pk}/mount-offline"

    @property
    def unmount_url(self) -> str:
        return f"{URL}/{self.session.pk}/unmount-offline"

    @property
    def body(self) -> dict[str, Any]:
        """What mounts it."""
        checksum = self.bundle.checksum
        return {"bundleId": self.bundle.pk, "licenseEnvelope": self.envelope, "bundleChecksum": checksum}


def make_packed(user: EndUser, **over: Any) -> Packed:
    """`over` is of the session, or of the licence's issue (`issued_at`, `expires_at`)."""
    issue = {new: over.pop(old) for old, new in (("issued_at", "now"), ("expires_at", "expires_at")) if old in over}
    version = make.make_course_version(Client.objects.get(pk=user.client_id))
    device = make.make_device(user, trusted=True)
    session = make.make_play_session(make.make_enrollment(user, version), **{"device": device, **over})
    bundle = make.make_bundle(version)
    license_, envelope = make.make_license(bundle, device, **issue)
    return Packed(session, device, bundle, license_, envelope)


def mp4(words: bytes = b"moving pictures") -> bytes:
    """What begins as an MP4 does."""
    return b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + words


def make_filmed(client: Client, name: str = "one", content: bytes | None = None, **over: Any) -> Lesson:
    """A lesson with a film and an English subtitle that are both ours."""
    film = make.make_media(client, f"{client.id}/films/{name}.mp4", content or mp4(), "video/mp4")
    vtt = make.make_media(client, f"{client.id}/subtitles/{name}/en.vtt", VTT, "text/vtt")
    return make.make_lesson(
        client,
        **{"video_urls": [f"/api/media/{film.path}"], "subtitle_url": {"en": f"/api/media/{vtt.path}"}, **over},
    )


def make_version_of(client: Client, *lessons: Lesson) -> CourseVersion:
    """A course of one lesson, with a block for each of these."""
    blocks = [{"id": f"blk_{place}", "kind": "video", "lessonId": lesson.id} for place, lesson in enumerate(lessons)]
    return make.make_course_version(client, make.a_manifest({"blocks": blocks}))


def build(bundle_id: str) -> Bundle:
    """Let the workers do what is due; the bundle then."""
    work.work_off(seconds=60)
    return bundle(bundle_id)


def bundle(bundle_id: str) -> Bundle:
    with binding.bound(binding.ALL_CLIENTS):
        return Bundle.objects.get(pk=bundle_id)


def mount(mount_id: str) -> Mount:
    with binding.bound(binding.ALL_CLIENTS):
        return Mount.objects.get(pk=mount_id)


def content_of(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else bytes(response.content)


def unpacked(data: bytes) -> dict[str, bytes]:
    """Every file, by its name; the archive is sound."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def index_of(files: dict[str, bytes]) -> Any:
    return orjson.loads(files["course.json"])
