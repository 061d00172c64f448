"""Starts PostgreSQL and Valkey for a test run, before Django reads its settings (a pytest plugin, see pyproject.toml).

DATABASE_URL and REDIS_URL replace them here too. Each worker of a parallel run has a Valkey database of its own.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _start() -> Callable[[], None] | None:
    """What stops the engines again, where they were started here: by the run's main process, not by its workers."""
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        if "GOFA_DATA_DIR" not in os.environ:
            folder = tempfile.TemporaryDirectory(prefix="gofa-test-")
            os.environ["GOFA_DATA_DIR"] = folder.name
            return folder.cleanup
        return None
    from apps.ops import engines

    data_dir = Path(os.environ.setdefault("GOFA_DATA_DIR", str(ROOT / ".data" / "test"))).resolve()
    stop = engines.start_for_tests(data_dir)
    os.environ.setdefault("DATABASE_URL", engines.database_url(data_dir))
    os.environ.setdefault("REDIS_URL", engines.redis_url(data_dir))
    return stop


def _stand_apart() -> None:
    """A worker of a parallel run has a cache and a data folder of its own: what the others do there is not its own."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER", ""):
        url = os.environ["REDIS_URL"]
        os.environ["REDIS_URL"] = f"{url}{'&' if '?' in url else '?'}db={int(worker[2:]) + 1}"
        os.environ["GOFA_DATA_DIR"] = str(Path(os.environ["GOFA_DATA_DIR"]) / worker)


# Making, emptying and dropping whole databases on a busy disk takes longer than a request may.
os.environ.setdefault("STATEMENT_TIMEOUT_MS", "60000")
_stop = _start()
_stand_apart()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _stop is not None:
        _stop()
