"""The embedded engines: addresses that every process agrees on, and whoever started them stops them."""

import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from apps.ops import engines, postgres
from apps.ops.processes import CannotStart


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's: PostgreSQL's own user could not pass its parents.
    with tempfile.TemporaryDirectory(prefix="gofa-test-") as name:
        yield Path(name)


@pytest.mark.parametrize("name", ["x" * 100, "a b", "a,b", "größe"])
def test_sockets_of_a_folder_that_is_too_long_or_odd_are_elsewhere(name: str) -> None:
    sockets = engines.socket_folder(Path("/srv") / name)
    assert sockets.parent == Path(tempfile.gettempdir())
    assert sockets == engines.socket_folder(Path("/srv") / name)
    assert sockets != engines.socket_folder(Path("/srv/other") / name)


def test_sockets_are_in_the_data_folder() -> None:
    assert engines.database_url(Path("/srv/gofa")) == "postgresql:///gofa?host=/srv/gofa/run&user=gofa"
    assert engines.redis_url(Path("/srv/gofa")) == "unix:///srv/gofa/run/valkey.sock"


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("unix:///srv/run/valkey.sock", "redis+socket:///srv/run/valkey.sock?virtual_host=0"),
        ("unix:///srv/run/valkey.sock?db=3", "redis+socket:///srv/run/valkey.sock?virtual_host=3"),
        ("rediss://:word@cache:6380/2", "rediss://:word@cache:6380/2"),
    ],
)
def test_celery_spells_a_socket_its_own_way(url: str, broker: str) -> None:
    assert engines.broker_url(url) == broker


def test_the_applications_role_is_held_to_row_level_security(folder: Path) -> None:
    with engines.running(folder, cache=False), psycopg.connect(engines.database_url(folder)) as connection:
        [row] = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreatedb, lower('ÄÖ'), current_setting('fsync')"
            " FROM pg_roles WHERE rolname = current_user"
        ).fetchall()
    assert row == (False, False, False, "äö", "on")
    assert stat.S_IMODE(engines.socket_folder(folder).stat().st_mode) == 0o700


def test_they_run_for_the_time_of_a_block_and_keep_what_was_stored(folder: Path) -> None:
    for expected in (None, b"kept"):
        with engines.running(folder, database=False), Redis.from_url(engines.redis_url(folder)) as valkey:
            assert valkey.get("word") == expected
            valkey.set("word", "kept")
    with pytest.raises(OSError, match="No such file"):
        (engines.socket_folder(folder) / "valkey.sock").stat()


def test_whoever_started_them_waits_for_the_others_who_use_them(folder: Path) -> None:
    using, may_end = threading.Event(), threading.Event()

    def use() -> None:
        with engines.running(folder, database=False):
            using.set()
            may_end.wait()

    with engines.running(folder, database=False):
        other = threading.Thread(target=use)
        other.start()
        assert using.wait(30)
        ending = threading.Timer(0.2, may_end.set)
        ending.start()
    # Had the first one not waited, the other would still be using what was stopped.
    assert may_end.is_set()
    other.join()


def test_up_is_told_that_a_command_uses_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_PATIENCE", 0.1)
    with (
        engines.running(folder, database=False),
        pytest.raises(CannotStart, match="another command"),
        engines.claimed(folder),
    ):
        pass


def test_a_start_that_was_cut_short_is_made_anew(folder: Path) -> None:
    (folder / "postgres.new").mkdir()
    (folder / "postgres.new" / "half").touch()
    with engines.running(folder, cache=False), psycopg.connect(engines.database_url(folder)) as connection:
        assert connection.info.dbname == postgres.DATABASE


def test_a_secret_is_the_same_for_all_who_make_it_at_once(folder: Path) -> None:
    numbers = iter(range(1000))
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(engines.kept(folder, "secrets/a", lambda: str(next(numbers)))))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    assert len(set(found)) == 1
    assert stat.S_IMODE((folder / "secrets/a").stat().st_mode) == 0o600
