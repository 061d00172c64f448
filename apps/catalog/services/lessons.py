"""What changes a lesson, and when is it refused? (002; contract 4)"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypedDict, cast

from apps.catalog import media, search
from apps.catalog.addresses import media_path, unsigned
from apps.catalog.models import Lesson, LessonSession, Plan, ShelfEntry, Subtitle
from apps.catalog.services.announcements import announce_created, announce_updated
from apps.catalog.services.conflicts import clear_plans_everywhere
from apps.catalog.services.files import foreign_files
from apps.catalog.services.shelf import Place, distinct, first_place, places_of, rearrange, unknown_tiers
from apps.catalog.services.turns import take_every_turn, take_turn
from apps.catalog.timeline import SessionFields, timeline_problems
from apps.jobs.services import request_job
from apps.kernel.localized import Localized, merge, spell
from apps.kernel.refusals import BadRequest, Detail, Forbidden, NotFound
from apps.tenants import binding
from apps.tenants.models import LIBRARY_CLIENT_ID, Client


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
_LOCALIZED = ("title", "description", "subtitle_url")
# What a thumbnail is taken from, or stands in its way.
_FILMED = {"video_urls", "thumbnail_time_in_seconds", "thumb_image_url"}


def create_lesson(*, client: Client, fields: LessonFields, author: str, now: datetime) -> Lesson:
    """A new lesson of this client, with its timeline and its place on the client's shelf.

    Dark unless said otherwise, and for all of the client's tiers. BadRequest names each field that breaks a rule.
    """
    sessions, tiers = fields.get("sessions", []), fields.get("membership_tiers", client.membership_tiers)
    problems = [
        *timeline_problems(sessions, fields.get("duration", 0)),
        *unknown_tiers(client, tiers, "membershipTiers"),
        *foreign_media(client, fields),
    ]
    if problems:
        raise BadRequest("Invalid request", details=problems)
    fields = _dark_if_archived(_without_signatures(fields))
    columns = {name: value for name, value in fields.items() if name not in _ELSEWHERE}
    with binding.atomic():
        lesson = Lesson.objects.create(client=client, created_by=author, modified_by=author, created_at=now, **columns)
        LessonSession.objects.bulk_create(_session(lesson, session) for session in sessions)
        is_live = fields.get("is_live", False)
        ShelfEntry.objects.create(client=client, lesson=lesson, is_live=is_live, membership_tiers=distinct(tiers))
        search.index_lesson(lesson)
        _request_picture(lesson, now, is_new=True)
        announce_created(lesson, author=author, now=now)
    return lesson


def update_lesson(
    *,
    client: Client,
    lesson_id: str,
    fields: LessonFields,
    author: str,
    now: datetime,
    force: bool = False,
    merging: bool = False,
) -> Lesson:
    """What is given changes, the rest stays; of a library lesson a client may change its shelf alone (Forbidden).

    A text in several languages is replaced or, with `merging`, changed in those given, where None takes one away.
    A lesson that goes dark or to the archive turns the live plans that hold it off with `force`, else PlansInConflict.
    """
    with binding.atomic():
        client = _take_turn(client, fields)
        lesson = _changeable(client, lesson_id, fields)
        _check_changes(client, lesson, fields)
        fields = _dark_if_archived(_without_signatures(fields))
        changed = set(fields) - _ON_SHELF
        if set(fields) & _ON_SHELF:
            changed |= _shelve(client, lesson, fields, force=force, author=author, now=now)
        if fields.get("status") == Lesson.Status.ARCHIVED and client.id == LIBRARY_CLIENT_ID:
            clear_plans_everywhere(lesson_id=lesson.id, force=force, author=author, now=now)
        if set(fields) - _ON_SHELF:
            _edit(lesson, _merged(lesson, fields) if merging else fields, author, now)
        if changed:
            announce_updated(lesson, changed, client_id=client.id, author=author, now=now)
    return lesson


def _take_turn(client: Client, fields: LessonFields) -> Client:
    """A lesson of the library that is withdrawn is withdrawn from everybody's plans."""
    if client.id == LIBRARY_CLIENT_ID and fields.get("status") == Lesson.Status.ARCHIVED:
        take_every_turn()
    return take_turn(client.id)


def _changeable(client: Client, lesson_id: str, fields: LessonFields) -> Lesson:
    """Locked where it is the client's own: jobs write to it, too."""
    own = Lesson.objects.for_client(client.id).locked().filter(pk=lesson_id).first()
    lesson = own or Lesson.objects.selectable_by(client.id).filter(pk=lesson_id).first()
    if lesson is None:
        raise NotFound("Lesson not found")
    if own is None and set(fields) - _ON_SHELF:
        raise Forbidden("A lesson of the library can be shown, hidden and tiered, not edited")
    return lesson


def _check_changes(client: Client, lesson: Lesson, fields: LessonFields) -> None:
    problems = [
        *_retimed_problems(lesson, fields),
        *unknown_tiers(client, fields.get("membership_tiers", []), "membershipTiers"),
        *foreign_media(client, fields),
    ]
    if fields.get("is_live") and lesson.status == Lesson.Status.ARCHIVED and "status" not in fields:
        problems.append(Detail("isLive", "An archived lesson cannot be live."))
    if problems:
        raise BadRequest("Invalid request", details=problems)


def _retimed_problems(lesson: Lesson, fields: LessonFields) -> list[Detail]:
    """A changed duration is held against the stored sessions again."""
    if not {"duration", "sessions"} & set(fields):
        return []
    names = SessionFields.__annotations__
    stored = cast("list[SessionFields]", list(lesson.sessions.values(*names)))
    return timeline_problems(fields.get("sessions", stored), fields.get("duration", lesson.duration))


def _dark_if_archived(fields: LessonFields) -> LessonFields:
    """What goes to the archive leaves its owner's shelf, and does not come back by itself."""
    return {**fields, "is_live": False} if fields.get("status") == Lesson.Status.ARCHIVED else fields


def _merged(lesson: Lesson, fields: LessonFields) -> LessonFields:
    texts = {name: merge(getattr(lesson, name), fields[name]) for name in _LOCALIZED if name in fields}  # type: ignore[literal-required]
    return cast(LessonFields, {**fields, **texts})


def _edit(lesson: Lesson, fields: LessonFields, author: str, now: datetime) -> None:
    is_rehung = fields.get("thumb_image_url", lesson.thumb_image_url) != lesson.thumb_image_url
    if is_rehung:
        # The blur was of another picture.
        lesson.is_thumb_derived, lesson.image_blur_data_url = False, ""
    filmed = {name: getattr(lesson, name) for name in _FILMED}
    for name, value in fields.items():
        if name not in _ELSEWHERE:
            setattr(lesson, name, value)
    lesson.modified_by = author
    lesson.save()
    if "sessions" in fields:
        # Written anew: sessions that change places would be in each other's way one by one, and none has an id outside.
        lesson.sessions.all().delete()
        LessonSession.objects.bulk_create(_session(lesson, session) for session in fields["sessions"])
    if {"title", "description"} & set(fields):
        search.index_lesson(lesson)
    if "subtitle_url" in fields:
        _forget_subtitles(lesson, now)
    if filmed != {name: getattr(lesson, name) for name in _FILMED}:
        _request_picture(lesson, now, is_new=is_rehung)


def _shelve(
    client: Client, lesson: Lesson, fields: LessonFields, *, force: bool, author: str, now: datetime
) -> set[str]:
    """Which of these fields changed the lesson's place."""
    before = places_of(client.id, [lesson.id])
    found = before.get(lesson.id) or first_place(client)
    tiers = distinct(fields.get("membership_tiers", found["membership_tiers"]))
    place: Place = {"is_live": fields.get("is_live", found["is_live"]), "membership_tiers": tiers}
    _, became = rearrange(client=client, before=before, after={lesson.id: place}, force=force, author=author, now=now)
    for plan in Plan.objects.for_client(client.id).filter(pk__in=became["plans"]):
        announce_updated(plan, ["status"], author=author, now=now)
    return {name for name, value in place.items() if value != found[name]}  # type: ignore[literal-required]


def _session(lesson: Lesson, fields: SessionFields) -> LessonSession:
    given: dict[str, Any] = {**fields, "rep_pose_id": fields.get("rep_pose_id") or ""}
    return LessonSession(client_id=lesson.client_id, lesson=lesson, **given)


def _request_picture(lesson: Lesson, now: datetime, *, is_new: bool) -> None:
    """The thumbnail from the video or, where a person gave a new one, its blur."""
    if lesson.wants_thumbnail or (is_new and lesson.wants_blur):
        request_job(client_id=lesson.client_id, kind="catalog.thumbnail", subject_id=lesson.id, now=now)


def _forget_subtitles(lesson: Lesson, now: datetime) -> None:
    """A file goes, and what was found in it, when the lesson no longer has it."""
    files = {locale: media_path(address) for locale, address in lesson.subtitle_url.items()}
    for subtitle in Subtitle.objects.for_client(lesson.client_id).filter(lesson=lesson, is_draft=False):
        if files.get(subtitle.locale) != subtitle.file_id:
            subtitle.delete()
            search.forget_subtitle(lesson, subtitle.locale)
            media.remove(client_id=lesson.client_id, path=subtitle.file_id, now=now)


def _addresses(fields: LessonFields) -> Iterator[tuple[str, str]]:
    """Each address that is given, and the path by which a refusal names it."""
    for name, path in (("image_url", "imageUrl"), ("thumb_image_url", "thumbImageUrl")):
        if fields.get(name):
            yield path, fields[name]  # type: ignore[literal-required]
    for index, address in enumerate(fields.get("video_urls", [])):
        yield f"videoURLs.{index}", address
    for locale, address in spell(fields.get("subtitle_url", {}), "underscore").items():
        if address:
            yield f"subtitleUrl.{locale}", address


def foreign_media(client: Client, fields: LessonFields) -> list[Detail]:
    """The addresses among these fields at which another client has its files."""
    return foreign_files(client, _addresses(fields))


def _without_signatures(fields: LessonFields) -> LessonFields:
    given: dict[str, Any] = {**fields}
    for name in {"image_url", "thumb_image_url"} & set(given):
        given[name] = unsigned(given[name])
    if "video_urls" in given:
        given["video_urls"] = [unsigned(address) for address in given["video_urls"]]
    if "subtitle_url" in given:
        given["subtitle_url"] = {key: address and unsigned(address) for key, address in given["subtitle_url"].items()}
    return cast(LessonFields, given)
