"""Which files do we keep for a client, and at which address is each? (contract 4, media)

The bytes are in an object store (`STORAGES`), under keys that are used once; what is at an address is a row. So the
bytes are written first and the row with the rest of the caller's transaction; when that is rolled back, they
are removed. Whatever a crash leaves behind, `purge` finds: what no row names.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from itertools import islice
from typing import IO, Protocol, cast

import structlog
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection

from apps.catalog.addresses import MEDIA_PREFIX
from apps.catalog.models import MediaFile
from apps.catalog.signatures import owner_of, signed
from apps.jobs.models import Job
from apps.jobs.services import request_job
from apps.kernel.refusals import NotFound, Unavailable
from apps.tenants import binding
from apps.tenants.postgresql.base import DatabaseWrapper

__all__ = ["address_of", "name_of", "open", "path_of", "remove", "replace", "signed", "store"]

log = structlog.get_logger(__name__)

DELETE_OBJECT = "catalog.delete_object"
# For whoever began to read a file before it was replaced; and, in `purge`, for whoever is about to commit.
KEPT_AFTER = timedelta(hours=1)
UNNAMED_AFTER = timedelta(days=1)
_OBJECTS = "objects"
_CHUNK_BYTES = 256 * 1024
_BATCH = 500
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Objects(Protocol):
    """What we ask of a store, beyond what Django does."""

    def save(self, name: str, content: "File[bytes]") -> str: ...
    def delete(self, name: str) -> None: ...
    def open_at(self, name: str, start: int, length: int) -> IO[bytes]: ...
    def names_before(self, prefix: str, time: datetime) -> Iterator[str]: ...


def objects() -> Objects:
    """As STORAGES says; made when it is first needed."""
    return cast(Objects, default_storage)


def address_of(path: str) -> str:
    return MEDIA_PREFIX + path


def path_of(address: str) -> str | None:
    """The path of a file of ours that an address names, signed or not; None for any other address."""
    path = re.split("[?#]", address, maxsplit=1)[0].removeprefix(MEDIA_PREFIX)
    return path if address.startswith(MEDIA_PREFIX) and owner_of(path) else None


def name_of(identifier: str) -> str:
    """An id as one part of a path: imported ids may hold what an address cannot."""
    plain = _PLAIN.fullmatch(identifier)
    return identifier if plain else hashlib.sha256(identifier.encode(errors="surrogatepass")).hexdigest()[:32]


def store(
    *, client_id: str, path: str, content: bytes | IO[bytes], content_type: str, author: str, now: datetime
) -> MediaFile:
    """Keep a new file of the client at `path`, which begins with the client's id. Within the caller's transaction.

    Unavailable when the store cannot take it; then nothing of it is there.
    """
    if owner_of(path) != client_id:
        raise ValueError(f"{path!r} is no path in the media of {client_id}")
    written = _write(client_id, content)
    return MediaFile.objects.create(
        path=path,
        client_id=client_id,
        key=written.key,
        content_type=content_type,
        size=written.size,
        sha256=written.sha256,
        created_by=author,
        created_at=now,
    )


def replace(
    *, client_id: str, path: str, content: bytes | IO[bytes], content_type: str, author: str, now: datetime
) -> MediaFile:
    """Other content at the same address. Whoever is being sent the old one gets the rest of it."""
    file = _held(client_id, path)
    written = _write(client_id, content)
    _forget_later(file, now)
    file.key, file.size, file.sha256 = written.key, written.size, written.sha256
    file.content_type, file.created_by, file.created_at = content_type, author, now
    file.save()
    return file


def remove(*, client_id: str, path: str, now: datetime) -> None:
    """Nothing is at this address any more, once the caller's transaction is committed."""
    file = _held(client_id, path)
    _forget_later(file, now)
    file.delete()


def open(path: str) -> IO[bytes]:  # noqa: A001 - as files are
    """The content of the bound client's file, to be read once and closed. NotFound; Unavailable."""
    file = MediaFile.objects.filter(path=path).first()
    if file is None:
        raise NotFound("Media not found")
    return open_at(file, 0, file.size)


def open_at(file: MediaFile, start: int, length: int) -> IO[bytes]:
    """So much of it from this byte on; Unavailable when the store does not answer, or has lost it."""
    try:
        return objects().open_at(file.key, start, length)
    except OSError as error:
        log.exception("media_unreadable", path=file.path, key=file.key)
        raise Unavailable("The file cannot be read just now", retry_after=5) from error


def delete_object(key: str) -> None:
    """For good, unless a row names it after all."""
    if not MediaFile.objects.filter(key=key).exists():
        objects().delete(key)


def purge(*, now: datetime) -> int:
    """Delete what has been in the store for a day without a row that names it; how many objects."""
    names, deleted = objects().names_before(_OBJECTS, now - UNNAMED_AFTER), 0
    while batch := list(islice(names, _BATCH)):
        for key in _without_rows(batch):
            objects().delete(key)
            deleted += 1
    return deleted


def _without_rows(keys: Iterable[str]) -> set[str]:
    """Of these, what neither a row names nor a job is about to delete at its own time."""
    unnamed = set(keys)
    with binding.bound(binding.ALL_CLIENTS):
        unnamed -= set(MediaFile.objects.filter(key__in=unnamed).values_list("key", flat=True))
        leaving = Job.objects.filter(kind=DELETE_OBJECT, finished_at__isnull=True)
        return unnamed - set(leaving.values_list("payload__key", flat=True))


@dataclass(frozen=True, slots=True)
class _Written:
    key: str
    size: int
    sha256: str


def _write(client_id: str, content: bytes | IO[bytes]) -> _Written:
    """Put the bytes under a fresh key, and have them removed again if the transaction does not last."""
    if not connection.in_atomic_block:
        raise RuntimeError("media is written within a transaction")
    name = secrets.token_hex(16)
    key = f"{_OBJECTS}/{client_id}/{name[:2]}/{name}"
    file: IO[bytes] = BytesIO(content) if isinstance(content, bytes) else content
    size, sha256 = _measured(file)
    cast(DatabaseWrapper, connection).on_rollback(lambda: objects().delete(key))
    try:
        objects().save(key, File(file, name=name))
    except OSError as error:
        log.exception("media_not_written", key=key)
        raise Unavailable("The file cannot be stored just now", retry_after=30) from error
    return _Written(key, size, sha256)


def _measured(file: IO[bytes]) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        size += len(chunk)
        digest.update(chunk)
    file.seek(0)
    return size, digest.hexdigest()


def _held(client_id: str, path: str) -> MediaFile:
    """The file, its row locked: one change of it at a time."""
    file = MediaFile.objects.for_client(client_id).locked().filter(path=path).first()
    if file is None:
        raise NotFound("Media not found")
    return file


def _forget_later(file: MediaFile, now: datetime) -> None:
    request_job(
        client_id=file.client_id,
        kind=DELETE_OBJECT,
        subject_id=file.key.rpartition("/")[2],
        payload={"key": file.key},
        now=now,
        after=KEPT_AFTER,
    )
