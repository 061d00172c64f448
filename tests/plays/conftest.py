"""What the tests of this room share: a lesson of two sessions, live for demo, and a play of it by ada."""

import pytest

from apps.catalog.models import Lesson
from apps.plays.models import LessonPlay
from apps.tenants.models import Client, EndUser
from tests import make

WARM_UP = {"en": "Warm up", "zh-Hant": "熱身", "zh-Hans": "热身"}
WORKOUT = {"en": "Workout", "zh-Hant": "運動", "zh-Hans": "运动"}


@pytest.fixture
def yoga(demo: Client) -> Lesson:
    return make.make_lesson(
        demo,
        id="lesson789",
        title={"en": "Pure Yoga", "zh-Hant": "純瑜伽", "zh-Hans": "纯瑜伽"},
        algorithm="ENGAGEMENT",
        duration=120,
        met=4,
        sessions=(
            {"title": WARM_UP, "start_seconds": 0, "end_seconds": 60},
            {"title": WORKOUT, "start_seconds": 60, "end_seconds": 120},
        ),
    )


@pytest.fixture
def play(ada: EndUser, yoga: Lesson) -> LessonPlay:
    return make.make_play(ada, yoga)
