"""Which lessons do the browser tests play?"""

from typing import Any

from apps.catalog.models import Lesson
from apps.tenants.models import Client
from tests import make

LOCALES = ("en", "zh-Hant", "zh-Hans")
SUBTITLES = {locale: f"/static/films/film.{locale}.vtt" for locale in LOCALES}


def part(start: float, end: float, title: str, category: str = "Main", target: int | None = None) -> dict[str, Any]:
    """A session's fields; one with a target is counted."""
    names = {"en": title, "zh-Hant": f"{title} 繁", "zh-Hans": f"{title} 简"}
    counted = {"rep_pose_id": "pose_1", "target_rep_count": target} if target is not None else {}
    return {"start_seconds": start, "end_seconds": end, "title": names, "category": category, **counted}


def make_long_lesson(client: Client, **over: Any) -> Lesson:
    """A minute: get ready, warm up, squats, stretches, cool down."""
    sessions = (
        part(0, 2, "Get ready", "Calibration"),
        part(2, 10, "March", "Warm Up"),
        part(10, 30, "Squats", target=8),
        part(30, 50, "Stretches"),
        part(50, 60, "Breathe", "Cool Down"),
    )
    videos = ["/static/films/long.mp4"]
    return make.make_lesson(
        client, **{"duration": 60, "video_urls": videos, "subtitle_url": SUBTITLES, "sessions": sessions, **over}
    )


def make_short_lesson(client: Client, **over: Any) -> Lesson:
    """Four seconds: march, squats."""
    sessions = (part(0, 2, "March", "Warm Up"), part(2, 4, "Squats", target=8))
    videos = ["/static/films/short.mp4"]
    return make.make_lesson(
        client, **{"duration": 4, "video_urls": videos, "subtitle_url": SUBTITLES, "sessions": sessions, **over}
    )
