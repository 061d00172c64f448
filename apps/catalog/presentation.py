"""How does a lesson look to whoever plays it? 002's LessonConfig, as plain values."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from apps.catalog.models import Lesson, LessonSession
from apps.kernel.clock import seconds_and_nanoseconds
from apps.kernel.localized import Spelling, spell

Json = dict[str, Any]
Sign = Callable[[str, str], str]


def number(value: float | Decimal) -> float:
    """A JSON number without a needless fraction: 600, 12.5."""
    plain = float(value)
    return int(plain) if plain.is_integer() else plain


def lesson_config(
    lesson: Lesson, sessions: Iterable[LessonSession], *, related: Sequence[Json] = (), spelling: Spelling, sign: Sign
) -> Json:
    """The whole LessonConfig; `related` are those of the related lessons, themselves without any.

    `sign` signs an address, if it is of the media of the client that it is told, so that it needs no header.
    """
    return {
        "id": lesson.id,
        "idHtmlEncoded": quote(lesson.id, safe=""),
        "clientId": lesson.client_id,
        "status": lesson.status,
        "uniqueID": lesson.unique_id,
        "baseLessonID": lesson.base_lesson_id,
        "title": spell(lesson.title, spelling),
        "description": spell(lesson.description, spelling),
        **_media(lesson, spelling, sign),
        "planEnrollmentId": lesson.plan_enrollment_id,
        "MET": number(lesson.met),
        "duration": number(lesson.duration),
        "isIndividual": lesson.is_individual,
        "intensity": lesson.intensity or None,
        "algorithm": lesson.algorithm,
        "sessions": session_configs(sessions, spelling=spelling),
        **_groups(lesson),
        "requiredWarmup": lesson.required_warmup,
        "requiredCooldown": lesson.required_cooldown,
        "sync": lesson.sync,
        "batch": lesson.batch,
        "relatedLessons": list(related),
        "modifiedBy": lesson.modified_by,
        "modifyDatetime": seconds_and_nanoseconds(lesson.modified_at),
        "createdBy": lesson.created_by,
        "createDatetime": seconds_and_nanoseconds(lesson.created_at),
    }


def _media(lesson: Lesson, spelling: Spelling, sign: Sign) -> Json:
    """What is to be fetched from elsewhere."""
    owner, subtitles = lesson.client_id, spell(lesson.subtitle_url, spelling)
    return {
        "imageUrl": sign(lesson.image_url, owner),
        "imageBlurDataUrl": lesson.image_blur_data_url,
        "thumbImageUrl": sign(lesson.thumb_image_url, owner),
        "videoURLs": [sign(address, owner) for address in lesson.video_urls],
        "videoId": lesson.video_id,
        "subtitleUrl": {locale: sign(address, owner) for locale, address in subtitles.items()},
    }


def _groups(lesson: Lesson) -> Json:
    """Under what an app's lesson list may put the lesson."""
    return {
        "groupByIntensity": lesson.intensity or None,
        "groupByStyles": lesson.styles,
        "groupByTypes": lesson.categories,
        "groupByMuscles": lesson.areas,
        "groupByGoals": lesson.goals,
        "groupByEquipments": lesson.equipment,
        "groupByTrainers": lesson.trainers,
    }


def played_lesson(lesson: Lesson, sessions: Iterable[LessonSession], *, sign: Sign) -> Json:
    """The lesson within a lesson play (001): hyphens, and `workoutCategory`.

    It names no related lessons: which of them a viewer may see is the catalogue's question, not the play's.
    """
    return {**lesson_config(lesson, sessions, spelling="hyphen", sign=sign), "workoutCategory": lesson.algorithm}


def session_configs(sessions: Iterable[LessonSession], *, spelling: Spelling) -> list[Json]:
    """The timeline as SessionConfigs; `index` is the place by start time, times are seconds."""
    in_order = sorted(sessions, key=lambda session: session.start_seconds)
    return [_session_config(index, session, spelling) for index, session in enumerate(in_order)]


def _session_config(index: int, session: LessonSession, spelling: Spelling) -> Json:
    config: Json = {
        "index": index,
        "category": session.category,
        "title": spell(session.title, spelling),
        "start": number(session.start_seconds),
        "end": number(session.end_seconds),
    }
    if session.target_rep_count is not None:
        config.update(repPoseId=session.rep_pose_id, targetRepCount=session.target_rep_count)
    return config
