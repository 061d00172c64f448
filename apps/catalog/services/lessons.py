"""What changes a lesson, and when is it refused? (002; contract 4)"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict, cast

from apps.catalog.models import Lesson, LessonSession, ShelfEntry
from apps.catalog.timeline import SessionFields, timeline_problems
from apps.kernel.localized import Localized
from apps.kernel.refusals import BadRequest, Detail, Forbidden, NotFound
from apps.tenants import binding
from apps.tenants.models import Client


class LessonFields(TypedDict, total=False):
    """What an administrator may say of a lesson, in the units and words in which it is stored."""

    status: str
    title: Localized
    description: Localized
    duration: float
    met: float
    algorithm: str
    intensity: str
    categories: list[str]
    areas: list[str]
    equipment: list[str]
    image_url: str
    thumb_image_url: str
    thumbnail_time_in_seconds: float | None
    video_urls: list[str]
    subtitle_url: Localized
    sessions: list[SessionFields]
    is_live: bool
    membership_tiers: list[str]


# What is not a column of the lesson: its timeline, and its place on the client's shelf.
_ON_SHELF = {"is_live", "membership_tiers"}
_ELSEWHERE = {"sessions", *_ON_SHELF}


def create_lesson(*, client: Client, fields: LessonFields, author: str, now: datetime) -> Lesson:
    """A new lesson of this client, with its timeline and its place on the client's shelf.

    Dark unless said otherwise, and for all of the client's tiers. BadRequest names each field that breaks a rule.
    """
    sessions, tiers = fields.get("sessions", []), fields.get("membership_tiers", client.membership_tiers)
    problems = [*timeline_problems(sessions, fields.get("duration", 0)), *_unknown_tiers(client, tiers)]
    if problems:
        raise BadRequest("Invalid request", details=problems)
    columns = {name: value for name, value in fields.items() if name not in _ELSEWHERE}
    with binding.atomic():
        lesson = Lesson.objects.create(client=client, created_by=author, modified_by=author, created_at=now, **columns)
        LessonSession.objects.bulk_create(_session(lesson, session) for session in sessions)
        ShelfEntry.objects.create(
            client=client,
            lesson=lesson,
            is_live=fields.get("is_live", False),
            membership_tiers=list(dict.fromkeys(tiers)),
        )
    return lesson


def update_lesson(*, client: Client, lesson_id: str, fields: LessonFields, author: str) -> Lesson:
    """What is given changes, the rest stays; of a library lesson a client may change its shelf alone (Forbidden)."""
    problems = _unknown_tiers(client, fields.get("membership_tiers", []))
    with binding.atomic():
        # Locked where it is the client's own: two changes of one timeline would be checked against each other's past.
        own = Lesson.objects.for_client(client.id).locked().filter(pk=lesson_id).first()
        lesson = own or Lesson.objects.selectable_by(client.id).filter(pk=lesson_id).first()
        if lesson is None:
            raise NotFound("Lesson not found")
        if own is not None:
            problems = [*_retimed_problems(own, fields), *problems]
        elif set(fields) - _ON_SHELF:
            raise Forbidden("A lesson of the library can be shown, hidden and tiered, not edited")
        if problems:
            raise BadRequest("Invalid request", details=problems)
        if own is not None and set(fields) - _ON_SHELF:
            _edit(own, fields, author)
        if set(fields) & _ON_SHELF:
            _shelve(client, lesson, fields)
    return lesson


def _retimed_problems(lesson: Lesson, fields: LessonFields) -> list[Detail]:
    """A changed duration is held against the stored sessions again."""
    if not {"duration", "sessions"} & set(fields):
        return []
    names = SessionFields.__annotations__
    stored = cast("list[SessionFields]", list(lesson.sessions.values(*names)))
    return timeline_problems(fields.get("sessions", stored), fields.get("duration", lesson.duration))


def _edit(lesson: Lesson, fields: LessonFields, author: str) -> None:
    for name, value in fields.items():
        if name not in _ELSEWHERE:
            setattr(lesson, name, value)
    lesson.modified_by = author
    lesson.save()
    if "sessions" in fields:
        # Written anew: sessions that change places would be in each other's way one by one, and none has an id outside.
        lesson.sessions.all().delete()
        LessonSession.objects.bulk_create(_session(lesson, session) for session in fields["sessions"])


def _shelve(client: Client, lesson: Lesson, fields: LessonFields) -> None:
    given: dict[str, Any] = {name: value for name, value in fields.items() if name in _ON_SHELF}
    if "membership_tiers" in given:
        given["membership_tiers"] = list(dict.fromkeys(given["membership_tiers"]))
    first = {"membership_tiers": list(client.membership_tiers), **given}
    ShelfEntry.objects.update_or_create(client=client, lesson=lesson, defaults=given, create_defaults=first)


def _session(lesson: Lesson, fields: SessionFields) -> LessonSession:
    given: dict[str, Any] = {**fields, "rep_pose_id": fields.get("rep_pose_id") or ""}
    return LessonSession(client_id=lesson.client_id, lesson=lesson, **given)


def _unknown_tiers(client: Client, tiers: Sequence[str]) -> list[Detail]:
    return [
        Detail(f"membershipTiers.{index}", f"{client.id} has no tier {tier}.")
        for index, tier in enumerate(tiers)
        if tier not in client.membership_tiers
    ]
