"""What no path of writing a play can get around: its tenant, and figures that cannot be."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from apps.catalog.models import Lesson
from apps.kernel.clock import now
from apps.plays.models import LessonPlay
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make


def test_a_plays_person_is_one_of_its_client(ada: EndUser, dan: EndUser, yoga: Lesson) -> None:
    with binding.bound(binding.ALL_CLIENTS), pytest.raises(IntegrityError, match="play_user_of_client"):
        LessonPlay.objects.create(client_id="demo", user_id="dan", lesson=yoga, created_at=now())


def test_a_plays_lesson_is_its_clients_or_the_librarys(
    ada: EndUser, acme: Client, gofa: Client, play: LessonPlay
) -> None:
    foreign, library = make.make_lesson(acme), make.make_lesson(gofa)
    make.make_play(ada, library)
    for bound in ("demo", binding.ALL_CLIENTS):
        with binding.bound(bound):
            with pytest.raises(IntegrityError, match="cannot be selected"), transaction.atomic():
                LessonPlay.objects.create(client_id="demo", user_id="ada", lesson=foreign, created_at=now())
            with pytest.raises(IntegrityError, match="cannot be selected"), transaction.atomic():
                LessonPlay.objects.filter(pk=play.pk).update(lesson=foreign)


def test_a_play_is_written_by_its_own_client_alone(ada: EndUser, acme: Client, play: LessonPlay) -> None:
    with binding.bound("acme"):
        assert LessonPlay.objects.filter(pk=play.pk).update(return_url="https://evil.example/") == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            LessonPlay.objects.create(client_id="demo", user_id="ada", lesson_id=play.lesson_id, created_at=now())


@pytest.mark.parametrize(
    "impossible",
    [
        {"completed_at": datetime(2000, 1, 1, tzinfo=UTC)},
        {"locale": "fr"},
        {"playback_speed": 0},
        {"playback_speed": 17},
        {"activity_time": -1},
        {"total_rep_count": -1},
        {"calories_burned": -0.1},
        {"average_grade": 7},
        {"average_engagement_level": 1.1},
        {"average_pose_similarity": -0.1},
        {"score": 100.5},
    ],
    ids=lambda impossible: next(iter(impossible)),
)
def test_a_figure_that_cannot_be_is_not_stored(ada: EndUser, yoga: Lesson, impossible: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        make.make_play(ada, yoga, **impossible)
