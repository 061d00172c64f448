"""What may happen to a plan play, and what changes then? (000, contract 6)

created → started → ended. An ended play may be started again; the first time that it ends is the one that is billed.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from apps.accounts.principal import Principal
from apps.billing.models import EventType
from apps.billing.services import authorize_and_charge
from apps.catalog.models import Plan
from apps.events import outbox
from apps.kernel.insertion import insert
from apps.kernel.refusals import BadRequest, Detail, Forbidden, NotFound
from apps.plans.models import PlanPlay, new_plan_play_id
from apps.plays.models import LessonPlay
from apps.tenants import binding
from apps.tenants.models import Client, EndUser

Status = PlanPlay.Status


class PlanPlayNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("Plan play not found")


class AccessDenied(Forbidden):
    """000's one word for every 403; the reason is for whoever reads the code."""

    def __init__(self, reason: str = "") -> None:
        super().__init__("Access denied")


class NewPlanPlay(TypedDict):
    """A valid PlanPlayBody; what was not sent is absent."""

    plan_id: str
    user_id: NotRequired[str]
    planned_lessons: NotRequired[list[str]]
    email: NotRequired[str]
    display_name: NotRequired[str]
    photo_url: NotRequired[str]
    assignment_source: NotRequired[str]
    risk_level: NotRequired[str]


class Changes(TypedDict, total=False):
    """A valid PlanPlayChangeBody. A null `completed_at` is what every play has that has not ended; it says nothing."""

    status: str
    current_lesson_index: int
    completed_lessons: list[str]
    completed_lesson_plays: list[str]
    total_lessons_completed: int
    completed_at: datetime | None
    last_played_at: datetime | None


_WRITTEN_AS_GIVEN = (
    "current_lesson_index",
    "completed_lessons",
    "completed_lesson_plays",
    "total_lessons_completed",
    "last_played_at",
)
_CHANGING = (*_WRITTEN_AS_GIVEN, "status", "completed_at", "first_completed_at")


def create_plan_play(*, principal: Principal, client: Client, new: NewPlanPlay, now: datetime) -> PlanPlay:
    """Somebody takes a plan on. BadRequest names each field that is wrong; then come the commercial refusals."""
    uid = _walker(principal, client, new.get("user_id"))
    # With all that is shown of it, so that the answer needs no statement of its own.
    plans = Plan.objects.live().with_lesson_ids().with_totals().for_client(client.id)
    plan = plans.filter(pk=new["plan_id"]).first()
    problems = [] if plan else [Detail("planId", "There is no such plan that could be started.")]
    if uid is None:
        problems.append(Detail("userId", "Must be the caller, or for staff a user of their client."))
    lesson_ids: list[str] = plan.lesson_ids if plan else []  # type: ignore[attr-defined]  # annotated
    planned = new.get("planned_lessons", lesson_ids)
    if plan is not None:
        problems += _strangers("plannedLessons", planned, lesson_ids, "Is not a lesson of the plan.")
    if problems or plan is None or uid is None:
        raise _invalid(problems)
    play = PlanPlay(
        id=new_plan_play_id(),
        client=client,
        user_id=uid,
        plan=plan,
        planned_lessons=planned,
        email=new.get("email", ""),
        display_name=new.get("display_name", ""),
        photo_url=new.get("photo_url", ""),
        assignment_source=new.get("assignment_source", ""),
        risk_level=new.get("risk_level", ""),
        created_at=now,
        updated_at=now,
    )
    authorize_and_charge(client=client, event_type=EventType.PLAN_PLAY_CREATED, activity_id=play.id, now=now)
    insert(play)
    _record("plan_play.created", play, now)
    return play


def update_plan_play(
    *, principal: Principal, client: Client, play_id: str, changes: Changes, now: datetime
) -> PlanPlay:
    """Write what is given, and nothing else, on the row as it is under its lock: of two callers who change different
    fields both are heard. The first completion is charged, and refused if it cannot be."""
    play = _held(principal, client.id, play_id)
    problems = [*_progress_problems(play, changes), *_status_problems(play, changes)]
    if problems:
        raise _invalid(problems)
    before = {name: getattr(play, name) for name in _CHANGING}
    _apply(play, changes, now)
    if play.is_first_completion:
        play.first_completed_at = max(now, play.created_at)
        authorize_and_charge(client=client, event_type=EventType.PLAN_PLAY_COMPLETED, activity_id=play.id, now=now)
    changed = [name for name in _CHANGING if getattr(play, name) != before[name]]
    if changed:
        # Two servers' clocks can disagree; what was changed later never looks older.
        play.updated_at = max(now, play.updated_at)
        play.save(update_fields=[*changed, "updated_at"])
    if "status" in changed:
        is_first = {"firstCompletion": "first_completed_at" in changed} if play.is_ended else {}
        _record(f"plan_play.{play.status}", play, now, **is_first)
    return play


def client_of_plan_play(*, principal: Principal, play_id: str) -> str:
    """Which of the clients that a member of staff may act for has this play? Their own, where none has."""
    if not principal.is_platform and len(principal.clients) < 2:
        return principal.client_id
    with binding.bound(binding.ALL_CLIENTS):
        plays = PlanPlay.objects.visible_to(principal).filter(pk=play_id)
        return plays.values_list("client_id", flat=True).first() or principal.client_id


def require_ownership(principal: Principal, user_id: str) -> None:
    """An end user's plays are theirs alone: AccessDenied for another person of the same client (000)."""
    if principal.is_end_user and principal.subject != user_id:
        raise AccessDenied("another user's plan play")


def _walker(principal: Principal, client: Client, named: str | None) -> str | None:
    """The uid of whoever is going to walk the plan: the caller, or whom a member of staff names. None for nobody."""
    uid = named or (principal.subject if principal.is_end_user else None)
    if uid is None or (principal.is_end_user and uid != principal.subject):
        return None
    return uid if EndUser.objects.for_client(client.id).filter(uid=uid).exists() else None


def _held(principal: Principal, client_id: str, play_id: str) -> PlanPlay:
    """The play with its plan, its row locked until the transaction ends."""
    play = PlanPlay.objects.for_client(client_id).locked().with_plan(client_id).filter(pk=play_id).first()
    if play is None:
        raise PlanPlayNotFound
    require_ownership(principal, play.user_id)
    return play


def _invalid(problems: Iterable[Detail]) -> BadRequest:
    return BadRequest("Invalid request", details=list(problems))


def _strangers(path: str, given: Iterable[str], known: Iterable[str], message: str) -> Iterator[Detail]:
    """The places of those that are not known. How often something is named does not matter, only that it may be."""
    allowed = set(known)
    return (Detail(f"{path}.{place}", message) for place, each in enumerate(given) if each not in allowed)


def _progress_problems(play: PlanPlay, changes: Changes) -> Iterator[Detail]:
    last = len(play.planned_lessons) - 1
    if changes.get("current_lesson_index", -1) > last:
        yield Detail("currentLessonIndex", f"Must be from 0 to {last}." if last >= 0 else "There are no lessons.")
    completed = changes.get("completed_lessons", [])
    yield from _strangers("completedLessons", completed, play.planned_lessons, "Is not one of the planned lessons.")
    lesson_plays = changes.get("completed_lesson_plays", [])
    theirs = LessonPlay.objects.for_client(play.client_id).filter(user_id=play.user_id)
    known = theirs.filter(pk__in=lesson_plays).values_list("pk", flat=True) if lesson_plays else []
    yield from _strangers("completedLessonPlays", lesson_plays, known, "Is not a lesson play of this user.")


def _wanted(play: PlanPlay, changes: Changes) -> str:
    """The status that the play is to have: as told, or ended where only the time of its end is."""
    return changes.get("status", Status.ENDED if changes.get("completed_at") else play.status)


def _status_problems(play: PlanPlay, changes: Changes) -> Iterator[Detail]:
    wanted = _wanted(play, changes)
    if wanted == Status.CREATED != play.status:
        yield Detail("status", "A play that was started cannot be set back to created.")
    if changes.get("completed_at") and wanted != Status.ENDED:
        yield Detail("completedAt", "Only a play that has ended was completed.")
    takes_the_end_away = "completed_at" in changes and changes["completed_at"] is None
    if play.is_ended and takes_the_end_away and "status" not in changes:
        yield Detail("completedAt", 'An ended play is reopened by its status, "started".')


def _apply(play: PlanPlay, changes: Changes, now: datetime) -> None:
    given: dict[str, Any] = {**changes}
    for name in _WRITTEN_AS_GIVEN:
        if name in given:
            setattr(play, name, given[name])
    if "completed_lessons" in given and "total_lessons_completed" not in given:
        play.total_lessons_completed = len(play.completed_lessons)
    wanted = _wanted(play, changes)
    if wanted == play.status:
        # An ended play keeps the time of its end, whatever is told again.
        return
    if wanted == Status.ENDED:
        play.end(changes.get("completed_at") or max(now, play.created_at))
    else:
        play.start()


def _record(event_type: str, play: PlanPlay, now: datetime, **more: Any) -> None:
    payload = {"userId": play.user_id, "planId": play.plan_id, **more}
    outbox.record(client_id=play.client_id, event_type=event_type, subject_id=play.id, payload=payload, now=now)
