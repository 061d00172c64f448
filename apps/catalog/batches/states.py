"""What does a lesson say, so that two moments of it can be compared and one of them put back?

A state is what services take, `{name of a LessonFields: value}`, as JSON that is equal where the lessons are: times to
the millisecond, sessions in order, languages without a text left out.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, cast

from apps.catalog.addresses import unsigned
from apps.catalog.batches.columns import Values, flat
from apps.catalog.models import Lesson, ShelfEntry
from apps.catalog.presentation import number
from apps.catalog.services import LessonFields
from apps.catalog.timeline import SessionFields
from apps.catalog.vocabulary import NO_EQUIPMENT, equipment_of, label_of
from apps.kernel.localized import spell

State = dict[str, Any]

SHELF = ("is_live", "membership_tiers")
_LOCALIZED = ("title", "description", "subtitle_url")
_MINUTE_DIGITS = 6
_AS_STORED = (
    *_LOCALIZED,
    "duration",
    "met",
    "algorithm",
    "intensity",
    "categories",
    "areas",
    "equipment",
    "image_url",
    "thumb_image_url",
    "thumbnail_time_in_seconds",
    "video_urls",
)


def state_of(lesson: Lesson, entry: ShelfEntry | None) -> State:
    """All of it; `entry` is its place on the client's shelf. Without a query where `with_timeline` brought sessions."""
    fields: State = {name: getattr(lesson, name) for name in _AS_STORED}
    names = SessionFields.__annotations__
    fields["sessions"] = [{name: getattr(session, name) for name in names} for session in lesson.timeline]
    fields["is_live"] = entry is not None and entry.is_live
    fields["membership_tiers"] = entry.membership_tiers if entry else []
    return normal(fields)


def normal(fields: Mapping[str, Any]) -> State:
    """Some or all fields of a lesson, as a state has them."""
    return {name: _NORMAL[name](value) if name in _NORMAL else value for name, value in fields.items()}


def _texts(texts: Mapping[str, str | None]) -> dict[str, str]:
    return {locale: text for locale, text in texts.items() if text}


def _session(session: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": _texts(session.get("title") or {}),
        "start_seconds": number(session["start_seconds"]),
        "end_seconds": number(session["end_seconds"]),
        "category": session.get("category") or "",
        "rep_pose_id": session.get("rep_pose_id") or "",
        "target_rep_count": session.get("target_rep_count"),
    }


def _addresses_by_locale(texts: Mapping[str, str | None]) -> dict[str, str]:
    return {locale: unsigned(address) for locale, address in _texts(texts).items()}


def _sessions(sessions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return sorted(map(_session, sessions), key=lambda session: float(session["start_seconds"]))


_NORMAL: dict[str, Callable[[Any], Any]] = {
    "title": _texts,
    "description": _texts,
    "subtitle_url": _addresses_by_locale,
    "duration": lambda seconds: number(round(float(seconds), 3)),
    "met": lambda met: number(float(met)),
    "thumbnail_time_in_seconds": lambda seconds: None if seconds is None else number(seconds),
    "image_url": unsigned,
    "thumb_image_url": unsigned,
    "video_urls": lambda addresses: [unsigned(address) for address in addresses],
    "sessions": _sessions,
    "membership_tiers": lambda tiers: list(dict.fromkeys(tiers)),
}


def fields_of(state: State) -> LessonFields:
    """What a service is told to bring this state about."""
    fields = dict(state)
    if "sessions" in fields:
        fields["sessions"] = [
            {**each, **{name: Decimal(str(each[name])) for name in ("start_seconds", "end_seconds")}}
            for each in fields["sessions"]
        ]
    return cast(LessonFields, fields)


def row_of(state: State) -> Values:
    """The same by columns of a file, in the words of the API; what the state does not name is left out."""
    words = {name: state[name] for name in state if name in _SAME_OUTSIDE}
    shown = {_SAME_OUTSIDE[name]: value for name, value in words.items()}
    for name in _LOCALIZED:
        if name in state:
            shown["subtitleUrl" if name == "subtitle_url" else name] = spell(state[name], "underscore")
    if "duration" in state:
        shown["duration"] = number(round(state["duration"] / 60, _MINUTE_DIGITS))
    if "algorithm" in state:
        shown["algorithm"] = label_of(Lesson.Algorithm, state["algorithm"])
    if "intensity" in state:
        shown["intensity"] = label_of(Lesson.Intensity, state["intensity"]) or ""
    if "equipment" in state:
        shown["equipment"] = _equipment(state["equipment"])
    if "sessions" in state:
        shown["sessions"] = [_shown_session(session) for session in state["sessions"]]
    return flat(shown)


_SAME_OUTSIDE = {
    "met": "MET",
    "categories": "categories",
    "areas": "areas",
    "image_url": "imageUrl",
    "thumb_image_url": "thumbImageUrl",
    "thumbnail_time_in_seconds": "thumbnailTimeInSeconds",
    "video_urls": "videoURLs",
    "is_live": "isLive",
    "membership_tiers": "membershipTiers",
}


def _equipment(stored: list[str]) -> str | list[str]:
    """A label as in the API, where one says it all."""
    label = stored[0] if stored else NO_EQUIPMENT
    return label if equipment_of(label) == stored else list(stored)


def _shown_session(session: dict[str, Any]) -> dict[str, Any]:
    shown = {
        "title": spell(session["title"], "underscore"),
        "startSeconds": session["start_seconds"],
        "endSeconds": session["end_seconds"],
        "type": session["category"],
    }
    if session["target_rep_count"] is not None:
        shown.update(repPoseId=session["rep_pose_id"], repCount=session["target_rep_count"])
    return shown


def differing(one: State, other: State, names: Iterable[str]) -> list[str]:
    return [name for name in names if one.get(name) != other.get(name)]


def outside(name: str) -> str:
    """The name of a field in files: `subtitle_url` is in the columns of `subtitleUrl`."""
    return _SAME_OUTSIDE.get(name) or {"subtitle_url": "subtitleUrl"}.get(name, name)
