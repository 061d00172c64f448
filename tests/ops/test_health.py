"""`GET /health/live` and `GET /health/ready`, asked by anybody."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from apps.ops import engines, health, postgres

OK = dict.fromkeys(["database", "migrations", "cache", "broker", "storage"], "ok")


def ready(client: Client) -> tuple[int, dict[str, Any]]:
    answer = client.get("/health/ready")
    return answer.status_code, json.loads(answer.content)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


def test_live_asks_nobody(client: Client) -> None:
    # Without the `db` fixture any query would fail.
    answer = client.get("/health/live")
    assert (answer.status_code, json.loads(answer.content)) == (200, {"status": "ok"})
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
@pytest.mark.django_db
def test_a_credential_that_came_along_is_not_looked_at(client: Client, path: str) -> None:
    assert client.get(path, headers={"Authorization": "Bearer nonsense"}).status_code == 200


@pytest.mark.django_db
def test_ready_names_every_part(client: Client) -> None:
    assert ready(client) == (200, {"status": "ok", "parts": OK})


@pytest.mark.django_db
def test_a_folder_that_cannot_be_written_is_missing_storage(client: Client, media: Path) -> None:
    media.write_text("a file where the folder should be")
    assert ready(client) == (503, {"status": "unavailable", "parts": {**OK, "storage": "missing"}})


@pytest.mark.django_db
def test_a_migration_that_was_not_applied_is_missing(client: Client) -> None:
    recorder = MigrationRecorder(connections["default"])
    app, name = next(key for key in recorder.applied_migrations() if key[0] == "tenants")
    recorder.record_unapplied(app, name)
    newest = max(name for app, name in health._newest_migrations() if app == "tenants")
    recorder.record_unapplied("tenants", newest)
    assert ready(client) == (503, {"status": "unavailable", "parts": {**OK, "migrations": "missing"}})


@pytest.mark.django_db
def test_a_broker_that_does_not_answer_is_missing(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.CELERY_BROKER_URL = engines.broker_url(f"unix://{tmp_path}/nobody.sock")
    answer = client.get("/health/ready")
    assert answer["Retry-After"] == "5"
    assert json.loads(answer.content)["parts"] == {**OK, "broker": "missing"}


def test_a_role_that_goes_past_row_level_security_is_no_database(
    monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any
) -> None:
    with tempfile.TemporaryDirectory(prefix="gofa-test-") as name, django_db_blocker.unblock():
        sockets = str(engines.socket_folder(Path(name)))
        with engines.running(Path(name), cache=False, disposable=True):
            connection = connections.create_connection("default")
            superuser = {"HOST": sockets, "PORT": "", "USER": postgres.SUPERUSER, "NAME": "postgres"}
            connection.settings_dict = {**connection.settings_dict, **superuser}
            monkeypatch.setattr(health, "connection", connection)
            with pytest.raises(health.Missing, match="row-level security"):
                health.check_database()
            connection.close()
