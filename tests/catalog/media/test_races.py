"""Readers while a file is replaced again and again, and replacements at once: whole contents, and nothing left over."""

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from apps.catalog import media
from apps.catalog.models import MediaFile
from apps.jobs.models import Job
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests.caller import Caller
from tests.catalog.media.conftest import body_of, keep, kept_keys

PATH = "demo/posters/one.jpg"
ROUNDS = 20

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folder")]


def replace(number: int) -> None:
    content = bytes([number % 256]) * (300_000 + number)
    with binding.bound("demo"), binding.atomic():
        media.replace(client_id="demo", path=PATH, content=content, content_type="image/jpeg", author="cleo", now=now())


def in_threads(*works: Callable[[], Any]) -> list[Any]:
    def on_a_connection_of_its_own(work: Callable[[], Any]) -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(on_a_connection_of_its_own, works))


def test_every_reader_gets_one_whole_content(demo: Client) -> None:
    keep(PATH, b"the first")
    done, seen = threading.Event(), set()

    def write() -> None:
        try:
            for number in range(ROUNDS):
                replace(number)
        finally:
            done.set()

    def read() -> None:
        address = media.signed(media.address_of(PATH), owner="demo", now=now())
        while True:
            is_last = done.is_set()
            response = Caller({}).get(address)
            body = body_of(response)
            assert response.status_code == 200
            assert response["ETag"] == f'"{hashlib.sha256(body).hexdigest()}"'
            assert response["Content-Length"] == str(len(body))
            seen.add(len(body))
            if is_last:
                return

    in_threads(write, read, read)
    assert 300_000 + ROUNDS - 1 in seen


def test_of_replacements_at_once_one_is_last_and_each_of_the_others_goes_later(demo: Client) -> None:
    keep(PATH)
    in_threads(*[lambda number=number: replace(number) for number in range(8)])
    with binding.bound("demo"):
        file = MediaFile.objects.get()
        leaving = set(Job.objects.filter(kind=media.DELETE_OBJECT).values_list("payload__key", flat=True))
        with media.open(PATH) as content:
            assert hashlib.sha256(content.read()).hexdigest() == file.sha256
    assert len(leaving) == 8
    assert kept_keys() == leaving | {file.key}
