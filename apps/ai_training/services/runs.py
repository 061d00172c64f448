"""What happens to a routine run, from its start to its end? (contract 8)

Locks are taken as `turns` says. A step's state and figures are derived from all that was ever reported of it, and the
run's from its steps: the same reports, in whatever order and however often, end in the same figures.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NotRequired, TypedDict

from apps.ai_training import states
from apps.ai_training.models import MoveSession, RoutineInstance, RoutineRun, RunStep
from apps.ai_training.models.runs import new_run_id
from apps.ai_training.services.moves import SessionNotFound
from apps.ai_training.services.plans import InstanceNotFound
from apps.ai_training.services.turns import take_turn
from apps.ai_training.states import CLOSED_STEP, InstanceStatus, MoveStatus, RunStatus, StepStatus
from apps.billing.models import EventType
from apps.billing.services import authorize_and_charge
from apps.events import outbox
from apps.kernel.refusals import BadRequest, Conflict, Detail, NotFound
from apps.tenants import binding
from apps.tenants.models import Client

_DERIVED = ("status", "session", "guided_at", "skipped_at", "duration_seconds", "calories_burned")


class RunFields(TypedDict, total=False):
    """What an app may say of a run."""

    status: str
    current_step_index: int
    started_from: str


class Report(TypedDict):
    """A valid RunSyncBody: which session or step to look at (all, if none), and what the app itself saw."""

    guided_complete: bool
    skipped: bool
    ai_move_session_id: NotRequired[str]
    sequence_index: NotRequired[int]


class RunNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("Routine run not found")


def start_run(
    *, client: Client, uid: str, instance_id: str, started_from: str, now: datetime
) -> tuple[RoutineRun, bool]:
    """The open run of this instance, and whether it is new; a new one is charged.

    Conflict if the instance is not in the queue any more; CommercialRefusal.
    """
    with binding.atomic():
        take_turn(client.pk, uid)
        instance = RoutineInstance.objects.of_user(client.pk, uid).locked().filter(pk=instance_id).first()
        if instance is None:
            raise InstanceNotFound
        running = RoutineRun.objects.for_client(client.pk).filter(instance=instance).open().first()
        if running is not None:
            return running, False
        if instance.status != InstanceStatus.QUEUED:
            raise Conflict("Routine instance is not queued")
        run_id = new_run_id()
        authorize_and_charge(client=client, event_type=EventType.ROUTINE_RUN_CREATED, activity_id=run_id, now=now)
        run = _new_run(instance, run_id, started_from, now)
        _move_instance(instance, InstanceStatus.IN_PROGRESS)
        _record("routine_run.created", run, now)
    return run, True


def change_run(*, client: Client, uid: str, run_id: str, fields: RunFields, now: datetime) -> None:
    """Say where the app is in a run, that it began, or that it was given up. A closed run does not change."""
    if not fields:
        raise BadRequest("No valid fields to update")
    with binding.atomic():
        run = _held(client.pk, uid, run_id)
        status = fields.get("status")
        if status in (RunStatus.CREATED, RunStatus.COMPLETED):
            # It is completed by its steps.
            raise states.IllegalTransition("Routine run", run.status, status)
        states.require(states.RUN, "Routine run", run.status, status)
        _check_place(run, fields)
        for name, value in fields.items():
            setattr(run, name, value)
        if status == RunStatus.ABANDONED:
            _end(run, InstanceStatus.SKIPPED, now)
        run.save()


def sync_run(*, client: Client, uid: str, run_id: str, report: Report, now: datetime) -> None:
    """Take in what AI Move or the app saw of one step, or look at the sessions of all.

    A run whose steps are all closed completes itself, and its instance. Syncing that again is allowed: a session that
    ended later still counts.
    """
    with binding.atomic():
        run = _held(client.pk, uid, run_id)
        if run.status == RunStatus.ABANDONED:
            raise Conflict("Routine run is abandoned")
        steps = list(run.steps.select_related("step").order_by("sequence"))
        session = _session_of(run, uid, report)
        index = report.get("sequence_index", session.sequence_index if session else None)
        step = _step_at(steps, index, required=session is not None)
        if session is not None and step is not None:
            _place_session(session, run, step)
        if step is not None:
            _note(step, report, now)
        _derive_steps(run, steps if step is None else [step])
        _derive_run(run, steps, now)


def _new_run(instance: RoutineInstance, run_id: str, started_from: str, now: datetime) -> RoutineRun:
    steps = list(instance.version.steps.order_by("sequence"))
    run = RoutineRun.objects.create(
        id=run_id,
        client_id=instance.client_id,
        user_id=instance.user_id,
        instance=instance,
        started_from=started_from,
        total_exercises=len(steps),
        created_at=now,
    )
    RunStep.objects.bulk_create(
        RunStep(client_id=run.client_id, run=run, sequence=step.sequence, step=step) for step in steps
    )
    return run


def _held(client_id: str, uid: str, run_id: str) -> RoutineRun:
    """The person's run, locked after them until the transaction ends."""
    take_turn(client_id, uid)
    run = RoutineRun.objects.of_user(client_id, uid).locked().select_related("instance").filter(pk=run_id).first()
    if run is None:
        raise RunNotFound
    return run


def _check_place(run: RoutineRun, fields: RunFields) -> None:
    if fields.get("current_step_index", 0) >= run.total_exercises:
        last = run.total_exercises - 1
        raise BadRequest("Invalid request", details=[Detail("currentStepIndex", f"The last step is {last}.")])


def _session_of(run: RoutineRun, uid: str, report: Report) -> MoveSession | None:
    """The session that is to be synced; of this person, and of no other run or step."""
    if "ai_move_session_id" not in report:
        return None
    rows = MoveSession.objects.for_client(run.client_id).filter(user_id=uid)
    session = rows.filter(pk=report["ai_move_session_id"]).first()
    if session is None:
        raise SessionNotFound
    if session.routine_run_id not in ("", run.id):
        raise Conflict("The AI Move session belongs to another routine run")
    if session.sequence_index not in (None, report.get("sequence_index", session.sequence_index)):
        raise Conflict("The AI Move session belongs to another step")
    return session


def _step_at(steps: Sequence[RunStep], index: int | None, *, required: bool) -> RunStep | None:
    if index is None:
        if required:
            where = Detail("sequenceIndex", "The AI Move session does not say of which step it is.")
            raise BadRequest("Invalid request", details=[where])
        return None
    if not 0 <= index < len(steps):
        raise NotFound("Routine step not found")
    return steps[index]


def _place_session(session: MoveSession, run: RoutineRun, step: RunStep) -> None:
    """A session that did not say where it belongs belongs to this step from now on."""
    if session.routine_run_id == run.id and session.sequence_index == step.sequence:
        return
    session.routine_run_id, session.sequence_index = run.id, step.sequence
    session.plan_id, session.routine_instance_id = run.instance.plan_id, run.instance_id
    session.save(update_fields=["routine_run_id", "sequence_index", "plan_id", "routine_instance_id"])


def _note(step: RunStep, report: Report, now: datetime) -> None:
    if report["guided_complete"]:
        if not step.step.guided:
            raise Conflict("The step is not guided")
        step.guided_at = step.guided_at or now
    if report["skipped"]:
        step.skipped_at = step.skipped_at or now


def _derive_steps(run: RoutineRun, steps: Sequence[RunStep]) -> None:
    """Each step's state and figures from its sessions, of which the latest that was completed counts."""
    latest: dict[int | None, MoveSession] = {}
    begun = set()
    sessions = MoveSession.objects.for_client(run.client_id).filter(user_id=run.user_id, routine_run_id=run.id)
    for session in sessions.order_by("created_at", "id"):
        begun.add(session.sequence_index)
        if session.status == MoveStatus.COMPLETED:
            latest[session.sequence_index] = session
    for step in steps:
        step.session = latest.get(step.sequence)
        step.duration_seconds = step.session.duration_seconds if step.session else 0
        step.calories_burned = step.session.calories_burned if step.session else 0
        status = _status_of(step, is_begun=step.sequence in begun)
        if status != step.status:
            states.require(states.STEP, "Routine step", step.status, status)
            step.status = status
    RunStep.objects.bulk_update(steps, _DERIVED)


def _status_of(step: RunStep, *, is_begun: bool) -> StepStatus:
    """What was done was done, whatever else was said; what was skipped after it was begun was skipped."""
    if step.session is not None or step.guided_at is not None:
        return StepStatus.COMPLETED
    if step.skipped_at is not None:
        return StepStatus.SKIPPED
    return StepStatus.IN_PROGRESS if is_begun else StepStatus.PENDING


def _derive_run(run: RoutineRun, steps: Sequence[RunStep], now: datetime) -> None:
    """The run's figures are sums over its steps, and its state follows from theirs."""
    run.completed_exercises = sum(step.status == StepStatus.COMPLETED for step in steps)
    run.total_duration_seconds = _sum(step.duration_seconds for step in steps)
    run.total_calories_burned = _sum(step.calories_burned for step in steps)
    if run.status == RunStatus.CREATED and any(step.status != StepStatus.PENDING for step in steps):
        states.require(states.RUN, "Routine run", run.status, RunStatus.IN_PROGRESS)
        run.status = RunStatus.IN_PROGRESS
    completes = run.is_open and all(step.status in CLOSED_STEP for step in steps)
    if completes:
        states.require(states.RUN, "Routine run", run.status, RunStatus.COMPLETED)
        run.status = RunStatus.COMPLETED
        _end(run, InstanceStatus.COMPLETED, now)
    run.save()
    if completes:
        _record("routine_run.completed", run, now)


def _sum(figures: Iterable[float]) -> float:
    """As decimals, as they were reported: three times 0.1 is 0.3."""
    return float(sum(Decimal(str(figure)) for figure in figures))


def _end(run: RoutineRun, instance_status: InstanceStatus, now: datetime) -> None:
    # Two servers' clocks can disagree; a run never ends before it began.
    run.ended_at = max(now, run.created_at)
    _move_instance(run.instance, instance_status)


def _move_instance(instance: RoutineInstance, status: InstanceStatus) -> None:
    states.require(states.INSTANCE, "Routine instance", instance.status, status)
    instance.status = status
    instance.save(update_fields=["status"])


def _record(event_type: str, run: RoutineRun, now: datetime) -> None:
    payload = {
        "userId": run.user_id,
        "routineInstanceId": run.instance_id,
        "completedExercises": run.completed_exercises,
        "totalExercises": run.total_exercises,
    }
    outbox.record(client_id=run.client_id, event_type=event_type, subject_id=run.id, payload=payload, now=now)
