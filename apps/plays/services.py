"""What may happen to a lesson play, and what changes then? (001, contract 5)"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.accounts.principal import Principal
from apps.billing.models import EventType
from apps.billing.services import authorize_and_charge
from apps.catalog.models import LessonSession
from apps.events import outbox
from apps.kernel.insertion import insert
from apps.kernel.localized import canonical_locale
from apps.kernel.refusals import BadRequest, Detail, NotFound, Unauthorized
from apps.plays import grading, queries, return_urls
from apps.plays.models import LessonPlay, new_lesson_play_id
from apps.tenants import binding
from apps.tenants.models import Client

MAX_EMAIL_LENGTH = 254


class LessonPlayNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("LessonPlay not found")


class NewPlay(TypedDict):
    """A valid LessonPlayBody; what was not sent is absent."""

    lesson_id: str
    skip_warm_up: bool
    skip_cool_down: bool
    skip_calibration: bool
    user_id: NotRequired[str]
    email: NotRequired[str]
    display_name: NotRequired[str]
    photo_url: NotRequired[str]
    locale: NotRequired[str]
    playback_speed: NotRequired[float]
    return_url: NotRequired[str]


class SessionReport(TypedDict):
    index: int
    grade: NotRequired[str]
    engagement_level: NotRequired[float]
    pose_similarity: NotRequired[float]
    rep_count: NotRequired[int]
    target_rep_count: NotRequired[int]
    skipped: NotRequired[bool]


class Progress(TypedDict):
    """A valid LessonPlayProgressBody."""

    completed: bool
    sessions: NotRequired[list[SessionReport]]
    activity_time: NotRequired[float]
    playback_speed: NotRequired[float]


def create_lesson_play(*, principal: Principal, client: Client, new: NewPlay, now: datetime) -> LessonPlay:
    """Somebody begins a lesson. The refusals come in 001's order, then the commercial ones."""
    _check_formats(new, client)
    uid = _player(principal, new.get("user_id"))
    may_play = queries.may_play(client.id, uid, new["lesson_id"])
    if may_play is None:
        raise BadRequest("User does not exist")
    if not may_play:
        raise BadRequest("Lesson does not exist")
    locale = canonical_locale(new["locale"]) if "locale" in new else ""
    if locale is None:
        raise BadRequest("Invalid locale")
    play_id = new_lesson_play_id()
    authorize_and_charge(client=client, event_type=EventType.LESSON_PLAY_CREATED, activity_id=play_id, now=now)
    play = LessonPlay(
        id=play_id,
        client=client,
        user_id=uid,
        lesson_id=new["lesson_id"],
        created_at=now,
        email=new.get("email", ""),
        display_name=new.get("display_name", ""),
        photo_url=new.get("photo_url", ""),
        skip_calibration=new["skip_calibration"],
        skip_warm_up=new["skip_warm_up"],
        skip_cool_down=new["skip_cool_down"],
        locale=locale,
        playback_speed=new.get("playback_speed"),
        return_url=new.get("return_url", ""),
    )
    insert(play)
    _record("lesson_play.created", play, now)
    return play


def change_return_url(*, principal: Principal, client: Client, play_id: str, return_url: str | None) -> None:
    """Set where the play ends; None for its own result page."""
    if return_url is not None and not return_urls.is_allowed(return_url, client.allowed_return_hosts):
        raise BadRequest("Invalid returnUrl")
    play = _held(principal, client.id, play_id)
    play.return_url = return_url or ""
    play.save(update_fields=["return_url"])


def report_progress(*, principal: Principal, client: Client, play_id: str, progress: Progress, now: datetime) -> None:
    """Take in what the player saw. Reports may be repeated, split, late and out of order: the end is the same."""
    play = _held(principal, client.id, play_id)
    reports = progress.get("sessions", [])
    _check_timeline(play, reports)
    play.sessions = grading.merge(play.sessions, [_as_session(report) for report in reports])
    play.activity_time = max(play.activity_time, progress.get("activity_time", 0.0))
    _note_speed(play, progress)
    _derive(play)
    finishes = progress["completed"] and not play.is_completed
    if finishes:
        # Two servers' clocks can disagree; a play never ends before it began.
        play.completed_at = max(now, play.created_at)
    play.save()
    if finishes:
        _record("lesson_play.completed", play, now)


def client_of_play(*, principal: Principal, play_id: str) -> str:
    """Which of the clients that a member of staff may act for has this play? Their own, where none has."""
    if not principal.is_platform and len(principal.clients) < 2:
        return principal.client_id
    with binding.bound(binding.ALL_CLIENTS):
        plays = LessonPlay.objects.visible_to(principal).filter(pk=play_id)
        return plays.values_list("client_id", flat=True).first() or principal.client_id


def require_ownership(principal: Principal, user_id: str) -> None:
    """An end user's plays are theirs alone: Unauthorized for another person of the same client (001)."""
    if principal.is_end_user and principal.subject != user_id:
        raise Unauthorized("another user's lesson play")


def _check_formats(new: NewPlay, client: Client) -> None:
    if "email" in new and not _is_email(new["email"]):
        raise BadRequest("Invalid email")
    if "photo_url" in new and not return_urls.is_web_address(new["photo_url"]):
        raise BadRequest("Invalid photoURL")
    if "return_url" in new and not return_urls.is_allowed(new["return_url"], client.allowed_return_hosts):
        raise BadRequest("Invalid returnUrl")


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= MAX_EMAIL_LENGTH


def _player(principal: Principal, named: str | None) -> str:
    """The uid of whoever is going to play: the caller, or whom a member of staff names."""
    if principal.is_end_user and named not in (None, principal.subject):
        raise BadRequest("User ID does not match auth token")
    return principal.subject if principal.is_end_user else named or ""


def _held(principal: Principal, client_id: str, play_id: str) -> LessonPlay:
    """The play, its row locked until the transaction ends."""
    play = LessonPlay.objects.for_client(client_id).locked().filter(pk=play_id).first()
    if play is None:
        raise LessonPlayNotFound
    require_ownership(principal, play.user_id)
    return play


def _check_timeline(play: LessonPlay, reports: Sequence[SessionReport]) -> None:
    length = LessonSession.objects.filter(lesson_id=play.lesson_id).count() if reports else 0
    beyond = [
        Detail(f"sessions.{place}.index", f"The lesson has {length} sessions.")
        for place, report in enumerate(reports)
        if report["index"] >= length
    ]
    if beyond:
        raise BadRequest("Invalid request", details=beyond)


def _as_session(report: SessionReport) -> grading.Session:
    return {_SESSION_FIELDS[name]: value for name, value in report.items()}


_SESSION_FIELDS = {
    "index": "index",
    "grade": "grade",
    "engagement_level": "engagementLevel",
    "pose_similarity": "poseSimilarity",
    "rep_count": "repCount",
    "target_rep_count": "targetRepCount",
    "skipped": "skipped",
}


def _note_speed(play: LessonPlay, progress: Progress) -> None:
    """The current speed is the one reported furthest into the play, so that a late report does not bring back an
    older one; any report replaces the target that the play began with."""
    if "playback_speed" not in progress:
        return
    reported = (progress.get("activity_time", 0.0), progress["playback_speed"])
    known = play.speed_activity_time
    if known is None or play.playback_speed is None or reported > (known, play.playback_speed):
        play.speed_activity_time, play.playback_speed = reported


def _derive(play: LessonPlay) -> None:
    """The columns that follow from the reports."""
    figures = grading.figures(play.sessions)
    play.average_grade = figures.average_grade
    play.average_engagement_level = figures.average_engagement_level
    play.average_pose_similarity = figures.average_pose_similarity
    play.total_rep_count = figures.total_rep_count
    play.total_target_rep_count = figures.total_target_rep_count
    play.score = figures.score
    weight = play.user.weight_kg
    play.calories_burned = grading.calories_burned(
        met=play.lesson.met,
        weight_kg=None if weight is None else float(weight),
        activity_time=play.activity_time,
    )


def _record(event_type: str, play: LessonPlay, now: datetime) -> None:
    payload: dict[str, Any] = {"userId": play.user_id, "lessonId": play.lesson_id}
    outbox.record(client_id=play.client_id, event_type=event_type, subject_id=play.id, payload=payload, now=now)
