"""Is everything there that a request needs? One function a part; each raises when its part is missing."""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import structlog
from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from kombu import Connection

from apps.api import valkey

log = structlog.get_logger(__name__)


class Missing(Exception):  # noqa: N818 - a finding, not a failure of ours
    """The part answers, and it will not do."""


def check_database() -> None:
    """It answers, and our role is held to row-level security."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone() != (False,):
            raise Missing("the role goes past row-level security")


def check_migrations() -> None:
    if behind := _newest_migrations() - set(MigrationRecorder(connection).applied_migrations()):
        raise Missing(f"not applied: {sorted(behind)}")


def check_cache() -> None:
    valkey.client().ping()


def check_broker() -> None:
    timeouts = {"socket_connect_timeout": valkey.TIMEOUT_SECONDS, "socket_timeout": valkey.TIMEOUT_SECONDS}
    with Connection(settings.CELERY_BROKER_URL, transport_options=timeouts) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=1)


def check_storage() -> None:
    """A local folder can be written; a remote one answers."""
    if isinstance(default_storage, FileSystemStorage):
        folder = Path(default_storage.location)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"ready")
    else:
        default_storage.exists("ready")


PARTS: dict[str, Callable[[], None]] = {
    "database": check_database,
    "migrations": check_migrations,
    "cache": check_cache,
    "broker": check_broker,
    "storage": check_storage,
}


def missing_parts() -> set[str]:
    """The names of the parts that do not work. Why is for the log: the question is asked without credentials."""
    missing = set()
    for name, check in PARTS.items():
        try:
            check()
        except Exception as error:
            log.warning("not_ready", part=name, error=str(error))
            missing.add(name)
    return missing


@cache
def _newest_migrations() -> set[tuple[str, str]]:
    """Read from the code once a process; what is applied is asked every time."""
    return set(MigrationLoader(None).graph.leaf_nodes())
