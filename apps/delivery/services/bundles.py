"""How does a bundle come to be, and who may look at it? (contract 9, 12)

Its file is in the object store, and not among the media: those are given to whoever sees a lesson, this to whoever has
a licence. The file is there before the row names it; what no row names in the end is deleted, at the latest by `purge`.
"""

import secrets
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import IO

import structlog
from django.core.files import File

from apps.accounts.principal import Principal
from apps.catalog import media
from apps.delivery import bundling
from apps.delivery.bundling import Written
from apps.delivery.models import Bundle, CourseVersion, PlayPackage
from apps.delivery.services.enrollments import CourseVersionNotFound
from apps.delivery.services.gathering import gather
from apps.delivery.services.revoking import BundleNotFound, held_bundle
from apps.delivery.services.starting import PlayPackageNotFound
from apps.events import outbox
from apps.jobs.models import Job
from apps.jobs.services import request_job
from apps.kernel.refusals import Conflict, Unavailable
from apps.kernel.text import storable
from apps.tenants import binding

log = structlog.get_logger(__name__)

BUILD = "delivery.build_bundle"
Status = Bundle.Status
_PREFIX = "bundles"
_UNNAMED_AFTER = timedelta(days=1)
_BATCH = 500


class BundleNotReady(Conflict):
    code = "bundle.not_ready"

    def __init__(self, status: str) -> None:
        super().__init__("The bundle is being built" if status == Status.BUILDING else "The bundle could not be built")


class BundleNotFailed(Conflict):
    code = "bundle.not_failed"

    def __init__(self) -> None:
        super().__init__("Only a bundle that could not be built is built again")


def create_bundle(*, client_id: str, course_version_id: str, author: str, now: datetime) -> Bundle:
    """A bundle of this course version, which a job builds."""
    if not PlayPackage.objects.for_client(client_id).filter(pk=course_version_id).exists():
        if not CourseVersion.objects.for_client(client_id).filter(pk=course_version_id).exists():
            raise CourseVersionNotFound
        raise PlayPackageNotFound
    bundle = Bundle.objects.create(
        client_id=client_id, course_version_id=course_version_id, created_at=now, created_by=author
    )
    request_job(client_id=client_id, kind=BUILD, subject_id=bundle.pk, now=now)
    return bundle


def rebuild_bundle(*, client_id: str, bundle_id: str, now: datetime) -> Bundle:
    """Try once more what has failed. BundleNotFound; BundleNotFailed."""
    bundle = held_bundle(client_id, bundle_id)
    if bundle.status != Status.FAILED:
        raise BundleNotFailed
    bundle.status, bundle.problem, bundle.finished_at = Status.BUILDING, "", None
    bundle.save(update_fields=["status", "problem", "finished_at"])
    request_job(client_id=client_id, kind=BUILD, subject_id=bundle.pk, now=now)
    return bundle


def build_bundle(
    *, client_id: str, bundle_id: str, now: datetime, finishing: Callable[[], AbstractContextManager[None]]
) -> None:
    """Gather, write and store the file, and say so in the transaction that `finishing` opens. Raises CannotGather.

    Takes minutes, in no transaction. A bundle that is ready by now is left as it is.
    """
    bundle = Bundle.objects.for_client(client_id).filter(pk=bundle_id).exclude(status=Status.READY).first()
    if bundle is None:
        return
    with tempfile.TemporaryDirectory(prefix="gofa-bundle-") as name, tempfile.TemporaryFile() as file:
        entries = gather(client_id=client_id, version_id=bundle.course_version_id, folder=Path(name))
        written = bundling.write(entries, file)
        key = _stored(client_id, file)
    try:
        with finishing():
            _record_built(client_id, bundle_id, key, written, now)
    finally:
        _forget_unnamed(key)


def record_failure(job_id: str, *, now: datetime) -> None:
    """Of a build that was given up: on the bundle, in the words that the job failed with."""
    job = Job.objects.get(pk=job_id)
    building = Bundle.objects.for_client(job.client_id).filter(pk=job.subject_id, status=Status.BUILDING)
    building.update(status=Status.FAILED, problem=storable(job.error, 500), finished_at=now)


def find_bundle(*, principal: Principal, client_id: str, bundle_id: str) -> Bundle:
    """One that the caller may see."""
    rows = Bundle.objects.visible_to(principal, client_id).select_related("revocation")
    bundle = rows.filter(pk=bundle_id).first()
    if bundle is None:
        raise BundleNotFound
    return bundle


def open_at(bundle: Bundle, start: int, length: int) -> IO[bytes]:
    """So much of its file from this byte on; Unavailable when the store does not answer, or has lost it."""
    try:
        return media.objects().open_at(bundle.key, start, length)
    except OSError as error:
        log.exception("bundle_unreadable", bundle_id=bundle.pk, key=bundle.key)
        raise Unavailable("The file cannot be read just now", retry_after=5) from error


def purge(*, now: datetime) -> int:
    """Delete the files that have been there for a day without a bundle that names them; how many."""
    names, deleted = media.objects().names_before(_PREFIX, now - _UNNAMED_AFTER), 0
    while batch := list(islice(names, _BATCH)):
        with binding.bound(binding.ALL_CLIENTS):
            named = set(Bundle.objects.filter(key__in=batch).values_list("key", flat=True))
        for key in sorted(set(batch) - named):
            media.objects().delete(key)
            deleted += 1
    return deleted


def _stored(client_id: str, file: IO[bytes]) -> str:
    """Under a key of its own, so that two attempts at the same bundle do not write over each other."""
    name = secrets.token_hex(16)
    key = f"{_PREFIX}/{client_id}/{name[:2]}/{name}"
    file.seek(0)
    try:
        media.objects().save(key, File(file, name=name))
    except OSError as error:
        log.exception("bundle_not_written", key=key)
        raise Unavailable("The file cannot be stored just now", retry_after=30) from error
    return key


def _record_built(client_id: str, bundle_id: str, key: str, written: Written, now: datetime) -> None:
    """Unless another attempt was quicker."""
    bundle = held_bundle(client_id, bundle_id)
    if bundle.is_ready:
        return
    bundle.status, bundle.problem, bundle.finished_at = Status.READY, "", max(now, bundle.created_at)
    bundle.key, bundle.size, bundle.checksum = key, written.size, written.checksum
    bundle.save(update_fields=["status", "problem", "finished_at", "key", "size", "checksum"])
    outbox.record(
        client_id=client_id,
        event_type="delivery.bundle.built.v1",
        subject_id=bundle.pk,
        payload={"courseVersionId": bundle.course_version_id, "checksum": written.checksum, "size": written.size},
        now=now,
    )


def _forget_unnamed(key: str) -> None:
    """Whatever came between; where even this cannot be asked, `purge` finds it."""
    try:
        if not Bundle.objects.filter(key=key).exists():
            media.objects().delete(key)
    except Exception:
        log.exception("bundle_file_left", key=key)
