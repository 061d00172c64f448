"""Which clients, people, lessons and plans does the demo begin with?"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.ops.demo.films import FILMS, Film, Scene

LOCALES = ("en", "zh-Hant", "zh-Hans")
MEDIA_ROOT = "/static/demo"

STAGE_CATEGORIES = {"calibration": "Calibration", "warm_up": "Warm Up", "cool_down": "Cool Down"}
MAIN_CATEGORIES = {"ENGAGEMENT": "Engagement", "REPS": "Reps", "MIRRORING": "Mirroring", "VIDEO": "Video"}


@dataclass(frozen=True)
class DemoClient:
    """A client: who buys, and how its people are told apart."""

    slug: str
    name: str
    time_zone: str
    default_locale: str
    tiers: tuple[str, ...]


@dataclass(frozen=True)
class DemoPerson:
    """A client's end user; assessments by kind, as the API keeps them."""

    uid: str
    client: str
    email: str
    display_name: str
    membership_tier: str
    weight_kg: float
    locale: str
    risk_level: str
    assessments: Mapping[str, Any]


@dataclass(frozen=True)
class DemoSession:
    """One stretch of a lesson's timeline, in seconds; localized text is keyed by BCP 47 locale."""

    title: Mapping[str, str]
    category: str
    start: int
    end: int
    rep_pose_id: str | None = None
    target_rep_count: int | None = None


@dataclass(frozen=True)
class DemoLesson:
    """One lesson; the duration is in seconds, and a library lesson's shelves are the other clients that show it."""

    id: str
    client: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    duration: int
    met: float
    algorithm: str
    intensity: str
    categories: tuple[str, ...]
    areas: tuple[str, ...]
    equipment: tuple[str, ...]
    styles: tuple[str, ...]
    goals: tuple[str, ...]
    trainers: tuple[str, ...]
    video_url: str
    poster_url: str
    thumb_url: str
    subtitle_urls: Mapping[str, str]
    required_warmup: bool
    required_cooldown: bool
    membership_tiers: tuple[str, ...]
    is_live: bool
    shelves: tuple[str, ...]
    sessions: tuple[DemoSession, ...]


@dataclass(frozen=True)
class DemoPlan:
    """Several lessons in an order; one may stand in it twice."""

    id: str
    client: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    status: str
    risk_level: str
    lessons: tuple[str, ...]


def _session(scene: Scene, algorithm: str) -> DemoSession:
    """A scene of the film as the lesson sees it; only a REPS lesson counts repetitions, where the film shows some."""
    category = STAGE_CATEGORIES.get(scene.stage)
    if category:
        return DemoSession(scene.title, category, scene.start, scene.end)
    if algorithm != "REPS":
        return DemoSession(scene.title, MAIN_CATEGORIES[algorithm], scene.start, scene.end)
    if not scene.repetitions:
        return DemoSession(scene.title, MAIN_CATEGORIES["ENGAGEMENT"], scene.start, scene.end)
    pose = f"pose_{scene.exercise}"
    return DemoSession(scene.title, MAIN_CATEGORIES["REPS"], scene.start, scene.end, pose, scene.repetitions)


def _lesson(entry: dict[str, Any]) -> DemoLesson:
    film: Film = FILMS[entry["film"]]
    address = f"{MEDIA_ROOT}/{film.slug}"
    return DemoLesson(
        id=entry["id"],
        client=entry["client"],
        title=entry["title"],
        description=entry["description"],
        duration=film.seconds,
        met=entry["met"],
        algorithm=entry["algorithm"],
        intensity=entry["intensity"],
        categories=tuple(entry["categories"]),
        areas=tuple(entry["areas"]),
        equipment=film.equipment,
        styles=tuple(entry["styles"]),
        goals=tuple(entry["goals"]),
        trainers=(film.trainer,),
        video_url=f"{address}.mp4",
        poster_url=f"{address}.poster.webp",
        thumb_url=f"{address}.thumb.webp",
        subtitle_urls={locale: f"{address}.{locale}.vtt" for locale in LOCALES},
        required_warmup=entry.get("required_warmup", False),
        required_cooldown=entry.get("required_cooldown", False),
        membership_tiers=tuple(entry["tiers"]),
        is_live=entry["live"],
        shelves=tuple(entry.get("shelves", ())),
        sessions=tuple(_session(scene, entry["algorithm"]) for scene in film.scenes),
    )


def _read(kind: str) -> list[dict[str, Any]]:
    """The entries of the file that is named for them."""
    source = Path(__file__).with_name(f"{kind}s.toml").read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = tomllib.loads(source)[kind]
    return entries


CLIENTS: tuple[DemoClient, ...] = (
    DemoClient("gofa", "GOFA Library", "Asia/Hong_Kong", "en", ("standard", "premium")),
    DemoClient("demo", "Harbour Active Living", "Asia/Hong_Kong", "en", ("standard", "premium")),
    DemoClient("acme", "Acme Academy", "Europe/London", "en", ("standard", "premium")),
)


def _assessed(tier: str, score: float, on: str) -> dict[str, Any]:
    return {"riskTier": tier, "score": score, "assessedAt": f"{on}T02:30:00.000Z"}


PEOPLE: tuple[DemoPerson, ...] = (
    DemoPerson(
        uid="user_001",
        client="demo",
        email="ada.wong@demo.example",
        display_name="Ada Wong",
        membership_tier="standard",
        weight_kg=58.0,
        locale="en",
        risk_level="moderate",
        assessments={
            "fallRisk": _assessed("moderate", 6, "2025-09-15"),
            "preferences": {"goal": "balance", "preferredSessionDurationMinutes": 20},
        },
    ),
    DemoPerson(
        uid="user_002",
        client="demo",
        email="ben.ho@demo.example",
        display_name="Ben Ho",
        membership_tier="premium",
        weight_kg=74.5,
        locale="zh-Hant",
        risk_level="high",
        assessments={
            "cognitiveAssessment": _assessed("low", 27, "2025-09-01"),
            "mskAssessment": _assessed("moderate", 14, "2025-09-08"),
            "fallRisk": _assessed("high", 11, "2025-09-22"),
            "preferences": {"goal": "strength", "frequency": 4, "equipmentAvailability": ["chair", "resistance-band"]},
        },
    ),
    DemoPerson(
        uid="user_101",
        client="acme",
        email="dan.lee@acme.example",
        display_name="Dan Lee",
        membership_tier="standard",
        weight_kg=81.0,
        locale="en",
        risk_level="low",
        assessments={
            "fallRisk": _assessed("low", 1, "2025-09-10"),
            "preferences": {"goal": "cardio", "intensity": "high"},
        },
    ),
)

LESSONS: tuple[DemoLesson, ...] = tuple(_lesson(entry) for entry in _read("lesson"))

PLANS: tuple[DemoPlan, ...] = tuple(
    DemoPlan(**{**entry, "lessons": tuple(entry["lessons"])}) for entry in _read("plan")
)
