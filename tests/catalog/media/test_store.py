"""Bytes and rows come and go together, over files and over S3; a full disk leaves neither (quality.md, faults)."""

import errno
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.db import transaction

from apps.catalog import local_objects, media
from apps.catalog.models import MediaFile
from apps.jobs.models import Job
from apps.jobs.work import work_off
from apps.kernel.clock import now
from apps.kernel.refusals import NotFound, Unavailable
from apps.tenants import binding
from apps.tenants.models import Client
from tests.catalog.media.conftest import keep, kept_keys

PATH = "demo/posters/one.jpg"
Store = Callable[..., MediaFile]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_demo(demo: Client) -> Any:
    with binding.bound("demo"):
        yield


def put(content: Any = b"new", path: str = PATH) -> MediaFile:
    return media.replace(
        client_id="demo", path=path, content=content, content_type="image/png", author="cleo", now=now()
    )


class Failed(Exception):  # noqa: N818
    pass


@contextmanager
def undone(transaction: Callable[[], Any]) -> Iterator[None]:
    """A transaction that fails at its very end."""
    with suppress(Failed), transaction():
        yield
        raise Failed


class TestStore:
    def test_the_row_says_what_the_bytes_are(self, store: Store) -> None:
        file = store(PATH, b"0123456789")
        assert (file.size, file.sha256[:8], file.created_by) == (10, "84d89877", "cleo")
        assert file.key.startswith("objects/demo/")
        assert kept_keys() == {file.key}
        with media.open(PATH) as content:
            assert content.read() == b"0123456789"

    @pytest.mark.parametrize("make", [io.BytesIO, ContentFile])
    def test_a_file_is_kept_from_its_beginning(self, store: Store, make: Callable[[bytes], Any]) -> None:
        content = make(b"from the beginning")
        content.read(4)
        assert store(PATH, content).size == 18
        assert media.open(PATH).read() == b"from the beginning"

    def test_a_transaction_that_is_rolled_back_leaves_nothing(self, store: Store) -> None:
        with undone(binding.atomic):
            store(PATH)
            assert len(kept_keys()) == 1
        assert (kept_keys(), MediaFile.objects.count()) == (set(), 0)

    def test_a_savepoint_that_is_rolled_back_leaves_nothing_of_its_own(self, store: Store) -> None:
        with binding.atomic():
            kept = store("demo/kept.jpg")
            with undone(transaction.atomic):
                store("demo/dropped.jpg")
            assert kept_keys() == {kept.key}
        assert kept_keys() == {kept.key}

    def test_a_second_file_at_a_path_is_refused_and_leaves_nothing(self, store: Store) -> None:
        first = store(PATH)
        with pytest.raises(Exception, match="duplicate key"):
            store(PATH, b"second")
        assert kept_keys() == {first.key}

    def test_another_content_is_another_key_and_the_old_one_goes_later(self, store: Store) -> None:
        old = store(PATH)
        with binding.atomic():
            new = put()
        assert (new.path, new.size, new.content_type) == (PATH, 3, "image/png")
        assert kept_keys() == {old.key, new.key}
        assert work_off(seconds=5) == 0  # not yet
        Job.objects.update(next_attempt_at=now() - timedelta(minutes=1))
        assert work_off(seconds=5) == 1
        assert kept_keys() == {new.key}

    def test_a_replacement_that_is_rolled_back_changes_nothing(self, store: Store) -> None:
        old = store(PATH)
        with undone(binding.atomic):
            put()
        assert kept_keys() == {old.key}
        assert media.open(PATH).read() == b"0123456789"
        assert not Job.objects.exists()

    def test_what_is_removed_goes_later_too(self, store: Store) -> None:
        old = store(PATH)
        with binding.atomic():
            media.remove(client_id="demo", path=PATH, now=now())
        with pytest.raises(NotFound):
            media.open(PATH)
        assert kept_keys() == {old.key}
        Job.objects.update(next_attempt_at=now() - timedelta(minutes=1))
        work_off(seconds=5)
        assert kept_keys() == set()

    def test_purging_spares_what_is_named_young_or_about_to_go(self, store: Store) -> None:
        named, replaced = store("demo/named.jpg"), store("demo/replaced.jpg")
        with binding.atomic():
            put(path="demo/replaced.jpg")
        orphan = store("demo/orphan.jpg")
        MediaFile.objects.filter(pk=orphan.pk).delete()
        before = kept_keys()
        binding.bind(binding.NO_CLIENT)  # as in a worker
        assert media.purge(now=now()) == 0
        assert kept_keys() == before
        assert media.purge(now=now() + timedelta(days=1, seconds=5)) == 1
        assert kept_keys() == before - {orphan.key}
        assert {named.key, replaced.key} <= kept_keys()

    def test_a_job_deletes_nothing_that_a_row_names(self, store: Store) -> None:
        file = store(PATH)
        media.delete_object(file.key)
        assert kept_keys() == {file.key}


class TestRefusals:
    @pytest.mark.parametrize(
        "path",
        ["acme/one.jpg", "demo", "demo/", "demo//a", "demo/../a", "demo/a b", "/demo/a", "demo/a\n", "demo/é", "a/a"],
    )
    def test_a_path_that_is_not_the_clients(self, folder: Path, path: str) -> None:
        with binding.atomic(), pytest.raises(ValueError, match="no path"):
            media.store(client_id="demo", path=path, content=b"", content_type="image/png", author="", now=now())
        assert kept_keys() == set()

    def test_nothing_is_at_the_path(self, folder: Path) -> None:
        for change in (put, lambda: media.remove(client_id="demo", path=PATH, now=now())):
            with binding.atomic(), pytest.raises(NotFound):
                change()
        with pytest.raises(NotFound):
            media.open(PATH)
        assert kept_keys() == set()

    def test_the_row_level_security_of_another_client(self, acme: Client, folder: Path) -> None:
        keep("acme/posters/one.jpg")
        with pytest.raises(NotFound):
            media.open("acme/posters/one.jpg")

    def test_a_full_disk_leaves_neither_row_nor_bytes(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write, written = local_objects._write, []

        def full(path: Path, content: Any) -> None:
            write(path, ContentFile(b"half"))
            written.append(kept_keys())
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(local_objects, "_write", full)
        with pytest.raises(Unavailable) as refused:
            keep(PATH)
        assert (refused.value.status, refused.value.retry_after) == (503, 30)
        assert [key.endswith(".part") for keys in written for key in keys] == [True]
        assert (kept_keys(), MediaFile.objects.count()) == (set(), 0)
        monkeypatch.undo()
        assert keep(PATH).size == 10  # and works again by itself

    def test_a_full_disk_leaves_the_old_content(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        old = keep(PATH)
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(Unavailable), binding.atomic():
            put()
        assert kept_keys() == {old.key}
        assert media.open(PATH).read() == b"0123456789"

    def test_a_bucket_that_is_not_there(self, bucket: Any) -> None:
        bucket.delete()
        with pytest.raises(Unavailable):
            keep(PATH)
        assert MediaFile.objects.count() == 0

    def test_what_a_killed_write_left_is_purged(self, folder: Path) -> None:
        left = folder / "objects/demo/00/00.part"
        left.parent.mkdir(parents=True)
        left.write_bytes(b"half")
        os.utime(left, (time.time() - 90_000,) * 2)
        assert media.purge(now=now()) == 1
        assert not left.exists()

    def test_nothing_but_objects_is_purged(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "notes.txt").write_text("of somebody else")
        with time_machine.travel(now() + timedelta(days=30)):
            assert media.purge(now=now()) == 0
        assert kept_keys() == {"notes.txt"}


def fail(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.django_db(transaction=True)
class TestRealTransactions:
    def test_what_is_committed_stays(self, store: Store) -> None:
        with binding.atomic():
            file = store(PATH)
        with undone(binding.atomic):
            pass
        assert kept_keys() == {file.key}

    def test_what_is_rolled_back_goes(self, store: Store) -> None:
        with undone(binding.atomic), transaction.atomic():
            store(PATH)
        assert kept_keys() == set()

    def test_outside_of_a_transaction_nothing_is_written(self, folder: Path) -> None:
        with pytest.raises(RuntimeError, match="within a transaction"):
            media.store(client_id="demo", path=PATH, content=b"", content_type="image/png", author="", now=now())
        assert kept_keys() == set()


def test_the_client_of_s3_is_not_even_imported_without_a_bucket() -> None:
    script = (
        "import django, sys; django.setup(); import gofa.urls, gofa.wsgi; from django.core.files.storage import"
        " default_storage; default_storage.exists('x'); print([name for name in sys.modules if 'boto' in name])"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
