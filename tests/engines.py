"""Starts PostgreSQL and Valkey for a test run, before Django reads its settings (a pytest plugin, see pyproject.toml).

DATABASE_URL and REDIS_URL replace them here too. Each worker of a parallel run has a Valkey database of its own.
"""

import os
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
_started_here: list[Path] = []


def _prepare() -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not os.environ.get("DATABASE_URL") or not os.environ.get("REDIS_URL"):
        from apps.ops import engines

        data_dir = Path(os.environ.setdefault("GOFA_DATA_DIR", str(ROOT / ".data" / "test")))
        engines.start(data_dir, for_tests=True)
        _started_here.append(data_dir)
        os.environ["DATABASE_URL"] = engines.database_url(data_dir)
        os.environ["REDIS_URL"] = engines.redis_url(data_dir)
    else:
        os.environ.setdefault("GOFA_DATA_DIR", tempfile.mkdtemp(prefix="gofa-test-"))
    if worker:
        url = os.environ["REDIS_URL"]
        os.environ["REDIS_URL"] = url + ("&" if "?" in url else "?") + f"db={int(worker[2:]) + 1}"


_prepare()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _started_here and not hasattr(config, "workerinput"):
        from apps.ops import engines

        engines.stop(_started_here.pop())
