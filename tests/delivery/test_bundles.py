"""`/api/v1/bundles`: have a course version built, look at it, revoke it (contract 9, 12)."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import User
from apps.events.models import OutboxEvent
from apps.kernel.clock import instant
from apps.tenants import binding
from apps.tenants.models import Client
from tests.delivery.described import data_described
from tests.delivery.offline import (
    BUNDLES,
    VTT,
    build,
    bundle,
    content_of,
    index_of,
    make_filmed,
    make_version_of,
    mp4,
    unpacked,
)

pytestmark = pytest.mark.django_db(transaction=True)

Via = Callable[..., Any]


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media" / "bundles"


def files_in(store: Path) -> list[Path]:
    return [path for path in store.rglob("*") if path.is_file()]


def told(bundle_id: str) -> list[str]:
    with binding.bound("demo"):
        return list(
            OutboxEvent.objects.filter(subject_id=bundle_id).order_by("id").values_list("event_type", flat=True)
        )


# --- Build ---


def test_a_course_version_becomes_a_file(via: Via, cleo: User, demo: Client, store: Path) -> None:
    lesson = make_filmed(demo, title={"en": "Balance", "zh-Hant": "平衡"}, duration=90)
    version = make_version_of(demo, lesson)
    caller = via(cleo)
    made = data_described(caller.post(BUNDLES, {"courseVersionId": version.pk}), 201)
    assert re.fullmatch(r"bnd_[0-9A-HJKMNP-TV-Z]{26}", made["id"])
    assert made == {
        "id": made["id"],
        "courseVersionId": version.pk,
        "status": "building",
        "checksum": None,
        "size": None,
        "problem": None,
        "createdAt": instant(bundle(made["id"]).created_at),
        "revokedAt": None,
    }
    assert build(made["id"]).created_by == "cleo"

    ready = data_described(caller.get(f"{BUNDLES}/{made['id']}"))
    data = content_of(caller.get(f"{BUNDLES}/{made['id']}/download"))
    checksum = f"sha256-{hashlib.sha256(data).hexdigest()}"
    assert ready == {**made, "status": "ready", "checksum": checksum, "size": len(data)}
    assert told(made["id"]) == ["delivery.bundle.built.v1"]
    assert len(files_in(store)) == 1

    film, subtitle = f"media/{hashlib.sha256(mp4()).hexdigest()}.mp4", f"subtitles/{lesson.id}.en.vtt"
    files = unpacked(data)
    assert list(files) == ["course.json", "manifest.json", film, subtitle]
    assert (files[film], files[subtitle]) == (mp4(), VTT)
    assert index_of(files) == {
        "format": 1,
        "course": {"id": version.course_id, "title": version.course.title},
        "courseVersion": {"id": version.pk, "number": 1},
        "lessons": {
            lesson.id: {
                "title": {"en": "Balance", "zh-Hant": "平衡"},
                "duration": 90,
                "film": film,
                "onlineOnly": False,
                "subtitles": {"en": subtitle},
            }
        },
        "files": {
            film: {"size": len(mp4()), "sha256": hashlib.sha256(mp4()).hexdigest()},
            subtitle: {"size": len(VTT), "sha256": hashlib.sha256(VTT).hexdigest()},
        },
    }
