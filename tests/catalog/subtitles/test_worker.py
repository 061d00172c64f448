"""A real worker, killed in the middle of a subtitle, leaves it to the next one, which does it once."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import User
from apps.catalog import media
from apps.catalog.models import Lesson, LessonText, MediaFile, Subtitle, SubtitleCue
from apps.jobs import services as jobs
from apps.jobs import work
from apps.jobs.models import Job
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.caller import Caller
from tests.catalog.subtitles.test_upload import TRADITIONAL, content_of, upload
from tests.workers import Start, kill, wait_until, workers

As = Callable[..., Caller]
CANONICAL = "WEBVTT\n\n00:00:01.000 --> 00:00:04.000\n雙手叉腰，站穩\n".encode()

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    return make.make_lesson(demo, id="lesson_1", title={"en": "Balance"}, duration=60)


@pytest.fixture(params=["look_into", "record_findings"])
def start(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> Iterator[Start]:
    """Its workers stop when they have read the file, or when they have written everything and not committed it."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    env = {
        "STOP_AT": request.param,
        "BEGUN": str(tmp_path / "begun"),
        "GO": str(tmp_path / "go"),
        "MEDIA_ROOT": settings.MEDIA_ROOT,
        "JOB_LEASE_SECONDS": "2",
    }
    clock = ("--beat", "--schedule", str(tmp_path / "schedule"))
    with workers("tests.catalog.subtitles.worker", **env) as start:
        yield lambda *options: start("--queues", "jobs", *clock, *options)


def rows() -> dict[str, Any]:
    """All that there is of subtitles, whoever asks."""
    with binding.bound("demo"):
        return {
            "subtitles": list(Subtitle.objects.order_by("locale").values_list("locale", "status", "cue_count")),
            "cues": SubtitleCue.objects.count(),
            "texts": sorted(LessonText.objects.exclude(source="lesson").values_list("source", flat=True)),
            "files": MediaFile.objects.count(),
        }


def kept(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_worker_killed_in_the_middle_leaves_nothing_and_the_next_one_does_it_once(
    as_: As, cleo: User, lesson: Lesson, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs._hint, "nudge", lambda: None)
    address = upload(as_(cleo), TRADITIONAL, locale="zh_Hant").json()["subtitleUrl"]
    uploaded = rows()
    assert uploaded["subtitles"] == [("zh-Hant", "processing", None)]

    worker = start()
    wait_until((tmp_path / "begun").exists)
    kill(worker)
    assert rows() == uploaded
    assert content_of(as_(cleo), address) == TRADITIONAL

    (tmp_path / "go").touch()
    wait_until(lambda: work.sweep() == 1)
    start()
    with binding.bound("demo"):
        wait_until(lambda: Job.objects.filter(kind="catalog.subtitle", state="done", attempts=2).exists())
        assert Job.objects.filter(kind="catalog.subtitle").count() == 1
    assert rows() == {
        "subtitles": [("zh-Hans", "ready", 1), ("zh-Hant", "ready", 1)],
        "cues": 2,
        "texts": ["zh-Hant"],
        "files": 2,
    }
    assert content_of(as_(cleo), address) == CANONICAL

    media.purge(now=now() + timedelta(days=2))
    with binding.bound("demo"):
        named = set(MediaFile.objects.values_list("key", flat=True))
        leaving = Job.objects.filter(kind=media.DELETE_OBJECT).values_list("payload__key", flat=True)
        assert kept(tmp_path / "media") == named | set(leaving)
        assert len(leaving) == 1
