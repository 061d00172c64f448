"""How does the catalogue look to a client's administrators? 002's B2B shapes: minutes, labels, the shelf."""

from collections.abc import Iterable, Mapping, Sequence

from apps.catalog.media import address_of
from apps.catalog.models import Lesson, LessonSession, ShelfEntry, Subtitle
from apps.catalog.presentation import Json, number
from apps.catalog.vocabulary import equipment_label, label_of
from apps.catalog.webvtt import Code, Problem
from apps.kernel.clock import instant
from apps.kernel.localized import Localized, spell

_DIGITS = 6


def catalog_summary(
    client_id: str,
    tiers: Sequence[str],
    lessons: Iterable[Lesson],
    shelf: Mapping[str, ShelfEntry],
    subtitles: Mapping[str, Sequence[Subtitle]],
) -> Json:
    """The whole workspace of a client: `shelf` and `subtitles` by lesson id, `tiers` all that it has."""
    shown = [
        workspace_lesson(lesson, lesson.timeline, shelf.get(lesson.id), subtitles.get(lesson.id, ()))
        for lesson in lessons
    ]
    return {
        "clientId": client_id,
        "lessons": shown,
        "liveLessonIds": [lesson["id"] for lesson in shown if lesson["isLive"]],
        "allTiers": list(tiers),
    }


def workspace_lesson(
    lesson: Lesson, sessions: Iterable[LessonSession], entry: ShelfEntry | None, subtitles: Iterable[Subtitle]
) -> Json:
    """One lesson of the client or of the library; without an entry it is dark."""
    return {
        "id": lesson.id,
        "name": _name(lesson.title),
        "duration": number(round(lesson.duration / 60, _DIGITS)),
        "categories": lesson.categories,
        "areas": lesson.areas,
        "equipment": equipment_label(lesson.equipment),
        "intensity": label_of(Lesson.Intensity, lesson.intensity),
        "algorithm": label_of(Lesson.Algorithm, lesson.algorithm),
        "status": lesson.status,
        "createdDate": instant(lesson.created_at),
        "isLive": entry is not None and entry.is_live and lesson.status == Lesson.Status.ACTIVE,
        "membershipTiers": entry.membership_tiers if entry else [],
        "subtitleUrl": spell(lesson.subtitle_url, "underscore"),
        "subtitles": {each.locale.replace("-", "_"): _subtitle(each) for each in subtitles},
        "sessions": [_workspace_session(session) for session in sessions],
    }


def _name(title: Localized) -> Localized:
    """The title, its Traditional Chinese under `zh` as well."""
    name = spell(title, "underscore")
    return {**name, "zh": name["zh_Hant"]} if "zh_Hant" in name else name


def _subtitle(subtitle: Subtitle) -> Json:
    return {
        "status": subtitle.status,
        "cueCount": subtitle.cue_count,
        "duration": None if subtitle.duration is None else number(subtitle.duration),
        "problems": [_problem(**each) for each in subtitle.problems],
        "draft": subtitle.is_draft,
        "url": address_of(subtitle.file_id),
    }


def _problem(line: int, column: int, code: str, detail: str) -> Json:
    problem = Problem(line, column, Code(code), detail)
    return {"line": line, "column": column, "code": code, "message": problem.message}


def _workspace_session(session: LessonSession) -> Json:
    shown: Json = {
        "title": spell(session.title, "underscore"),
        "startSeconds": number(session.start_seconds),
        "endSeconds": number(session.end_seconds),
        "type": session.category,
    }
    if session.target_rep_count is not None:
        shown.update(repPoseId=session.rep_pose_id, repCount=session.target_rep_count)
    return shown
