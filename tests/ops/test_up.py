"""`manage.py up` with real processes: what it starts, keeps running, ends, and refuses to start."""

import json
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.catalog.signatures import signed
from apps.kernel.clock import now
from tests.ops.running import Product, eventually, free_port, manage

# One process of a parallel run, so that the product is started once for all that look at it.
pytestmark = pytest.mark.xdist_group("up")

PROGRAMS = [
    "apps.ops.web",
    "apps.ops.stream",
    "worker@gofa --queues celery",
    "jobs@gofa --queues jobs",
    "webhooks@gofa --queues webhooks",
    "celery -A gofa beat",
    "valkey-server",
    "postgres",
]

MONITOR = "of the monitor"
LARGE = 256 * 1024 * 1024
KEEP_LARGE = f"""
from apps.catalog.models import MediaFile
from apps.kernel.clock import now
from apps.tenants.binding import bound
from apps.tenants.models import Client
with bound("demo"):
    demo, _ = Client.objects.get_or_create(pk="demo")
    file = MediaFile(path="demo/large.mp4", client=demo, key="objects/large", content_type="video/mp4", size={LARGE})
    file.sha256, file.created_at = "0" * 64, now()
    file.save()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's: PostgreSQL's own user could not pass its parents.
    with tempfile.TemporaryDirectory(prefix="gofa-test-") as name:
        yield Path(name) / "data"


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with tempfile.TemporaryDirectory(prefix="gofa-test-") as name:
        running = Product(Path(name) / "data", METRICS_TOKEN=MONITOR)
        yield running
        running.stop()


def test_it_says_where_everything_is(product: Product) -> None:
    told = product.output.read_text()
    assert f"http://localhost:{product.port}/admin/" in told
    assert "platform, demo-admin, acme-admin" in told
    assert "a demo password" in told
    assert "curl -s 'http://localhost" in told


def test_every_part_is_ready(product: Product) -> None:
    status, _, body = product.get("/health/ready")
    parts = dict.fromkeys(["database", "migrations", "cache", "broker", "storage"], "ok")
    assert (status, json.loads(body)) == (200, {"status": "ok", "parts": parts})


def test_a_monitor_is_told_what_all_processes_count(product: Product) -> None:
    status, _, body = product.get("/metrics", Authorization=f"Bearer {MONITOR}")
    assert status == 200
    assert b"\ngofa_rate_not_limited_total 0.0\n" in body
    assert b'\ngofa_waiting{queue="events"} ' in body
    assert product.get("/metrics")[0] == 404


def test_part_of_a_file_can_be_had(product: Product) -> None:
    status, headers, body = product.get("/static/admin/css/base.css", Range="bytes=10-19")
    assert (status, headers["content-length"], len(body)) == (206, "10", 10)


def test_slow_readers_of_a_large_file_hold_neither_threads_nor_memory(product: Product, settings: Any) -> None:
    settings.SECRET_KEY = (product.data_dir / "secrets/django").read_text()
    objects = product.data_dir / "media" / "objects"
    objects.mkdir(parents=True, exist_ok=True)
    with (objects / "large").open("wb") as file:
        file.truncate(LARGE)
    assert manage(product.data_dir, "shell", "-c", KEEP_LARGE).returncode == 0
    address = signed("/api/media/demo/large.mp4", owner="demo", now=now())
    before = product.memory("apps.ops.web")
    readers = [product.begin(address) for _ in range(20)]  # several times as many as there are threads
    try:
        assert [reader.read(1000) for reader in readers] == [bytes(1000)] * 20
        status, headers, body = product.get(address, Range="bytes=-10")
        assert (status, headers["content-range"], body) == (206, f"bytes {LARGE - 10}-{LARGE - 1}/{LARGE}", bytes(10))
        assert product.get("/health/ready")[0] == 200
        length = 1000
        while chunk := readers[0].read(1024 * 1024):
            length += len(chunk)
        assert length == LARGE
        assert product.memory("apps.ops.web") - before < LARGE / 2
    finally:
        for reader in readers:
            reader.close()


def test_a_stream_that_does_not_exist_is_not_found_by_the_stream_process(product: Product) -> None:
    assert product.get("/api/v1/play-sessions/pls_1/tutor/stream")[0] in {401, 404}


def test_a_command_beside_it_uses_its_engines(product: Product) -> None:
    assert manage(product.data_dir, "migrate", "--check").returncode == 0


@pytest.mark.parametrize("sign", PROGRAMS)
def test_a_program_that_is_killed_comes_back(product: Product, sign: str) -> None:
    killed = product.child(sign)
    assert killed is not None
    killed.kill()
    killed.wait()
    fresh = eventually(lambda: product.child(sign))
    assert fresh.pid != killed.pid
    eventually(lambda: product.get("/health/ready")[0] == 200)


def test_one_web_process_that_dies_refuses_nobody(product: Product) -> None:
    killed = product.child("apps.ops.web")
    assert killed is not None
    killed.kill()
    killed.wait()
    assert [product.get("/health/live")[0] for _ in range(20)] == [200] * 20


def test_a_second_one_over_the_same_folder_is_refused(product: Product) -> None:
    done = manage(product.data_dir, "up", port=free_port())
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"CommandError: The data folder {product.data_dir} is in use by another `up` (process {product.process.pid})."
    ]


def test_stopping_leaves_no_process_and_starting_again_keeps_the_rows(folder: Path) -> None:
    product = Product(folder)
    product.execute("CREATE TABLE kept (word text)")
    product.execute("INSERT INTO kept VALUES ('kept')")
    assert product.stop(signal.SIGINT) == 0
    assert product.get("/health/live")[0] == 0
    product.start()
    assert product.execute("SELECT word FROM kept") == [("kept",)]
    product.stop(signal.SIGKILL)


def test_a_taken_port_is_told_in_one_line(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = manage(folder, "up", port=port)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"CommandError: Port {port} on 127.0.0.1 cannot be had: Address already in use. Set PORT to another one."
    ]


def test_a_folder_that_cannot_be_written_is_told_in_one_line(folder: Path) -> None:
    folder.write_text("a file where the folder should be")
    done = manage(folder, "up", port=free_port())
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"The data folder {folder} cannot be written: Not a directory."]


def test_data_of_another_version_is_told_in_one_line(folder: Path) -> None:
    (folder / "postgres").mkdir(parents=True)
    (folder / "postgres" / "PG_VERSION").write_text("12\n")
    done = manage(folder, "up", port=free_port())
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(
        f"CommandError: The data in {folder}/postgres was made by PostgreSQL 12, this is PostgreSQL "
    )


@pytest.mark.soak
def test_ten_starts_and_stops_leave_no_process_and_lose_no_row(folder: Path) -> None:
    product = Product(folder)
    product.execute("CREATE TABLE counted (number int)")
    for number in range(10):
        product.execute(f"INSERT INTO counted VALUES ({number})")
        product.stop(signal.SIGKILL if number % 3 == 2 else signal.SIGTERM)
        product.start()
        assert product.execute("SELECT count(*) FROM counted") == [(number + 1,)]
    product.stop()
