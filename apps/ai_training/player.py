"""What does the page of an open run show, and what is its script told? (contract 8, 10)"""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from apps.ai_training.models import MoveSession, RoutineRun, RunStep
from apps.ai_training.states import CLOSED_STEP, MoveStatus, StepStatus
from apps.kernel.localized import in_locale

_OPEN_SESSION = (MoveStatus.CREATED, MoveStatus.IN_PROGRESS)


def player_of(run: RoutineRun, locale: str, *, csrf_token: str) -> dict[str, Any]:
    """The template's context. The run is one of RunQuerySet.whole(), its client fetched; one query more."""
    version = run.instance.version
    sessions = _open_sessions(run)
    steps = [_step(step, sessions.get(step.sequence), locale) for step in steps_of(run)]
    title = in_locale(version.name, locale)
    script = {
        "runId": run.id,
        "planId": run.instance.plan_id,
        "routineInstanceId": run.instance_id,
        "status": run.status,
        "currentStepIndex": run.current_step_index,
        "steps": steps,
        "csrfToken": csrf_token,
        "words": _words(),
    }
    return {
        "title": title,
        "description": in_locale(version.description, locale),
        "minutes": version.minutes,
        "equipment": version.equipment,
        "steps": steps,
        "script": script,
    }


def steps_of(run: RoutineRun) -> list[RunStep]:
    """What `whole` fetched, in order."""
    steps: list[RunStep] = getattr(run, "ordered_steps")  # noqa: B009 - known to the queryset only
    return steps


def step_title(step: RunStep, locale: str) -> str:
    return in_locale(step.step.title or step.step.exercise.name, locale)


def step_target(step: RunStep) -> str:
    """`20 repetitions` or `1:30 minutes`, in the language that is on."""
    if step.step.target_reps is not None:
        return ngettext("%(count)d repetition", "%(count)d repetitions", step.step.target_reps) % {
            "count": step.step.target_reps
        }
    return spoken_time(step.step.target_seconds or 0)


def step_states() -> dict[str, str]:
    """What became of a step, by its status."""
    return {
        StepStatus.PENDING: "",
        StepStatus.IN_PROGRESS: pgettext("a step of a routine", "Begun"),
        StepStatus.COMPLETED: pgettext("a step of a routine", "Done"),
        StepStatus.SKIPPED: pgettext("a step of a routine", "Skipped"),
    }


def spoken_time(seconds: float) -> str:
    """45 → `45 seconds`, 90 → `1 min 30 s`, 120 → `2 min`, in the language that is on."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return ngettext("%(count)d second", "%(count)d seconds", rest) % {"count": rest}
    if not rest:
        return _("%(minutes)d min") % {"minutes": minutes}
    return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}


def _open_sessions(run: RoutineRun) -> dict[int | None, MoveSession]:
    """The latest session of each step that is still going on: a page that is loaded again goes on with it."""
    rows = MoveSession.objects.for_client(run.client_id).filter(user_id=run.user_id, routine_run_id=run.id)
    rows = rows.filter(status__in=_OPEN_SESSION).order_by("created_at", "id")
    return {session.sequence_index: session for session in rows}


def _step(step: RunStep, session: MoveSession | None, locale: str) -> dict[str, Any]:
    goes_on = session is not None and step.status not in CLOSED_STEP
    return {
        "index": step.sequence,
        "exerciseId": step.step.exercise.exercise_id,
        "title": step_title(step, locale),
        "hint": in_locale(step.step.exercise.description, locale),
        "target": step_target(step),
        "targetReps": step.step.target_reps,
        "targetSeconds": step.step.target_seconds,
        "restSeconds": step.step.rest_seconds,
        "guided": step.step.guided,
        "status": step.status,
        "session": _session(session) if session is not None and goes_on else None,
    }


def _session(session: MoveSession) -> dict[str, Any]:
    return {
        "id": session.id,
        "repCount": session.rep_count or 0,
        "durationSeconds": session.duration_seconds,
    }


def _words() -> dict[str, Any]:
    """What the script says; `{name}` is filled in there."""
    return {
        "begin": _("Start the routine"),
        "goOn": _("Go on with exercise {number}"),
        "start": pgettext("an exercise", "Start"),
        "pause": _("Pause"),
        "resume": pgettext("after a pause", "Go on"),
        "stepOf": _("Exercise {number} of {count}"),
        "repetitions": _("repetitions"),
        "ofTarget": _("of {target}"),
        "repsDone": _("{count} of {target}"),
        "reached": _("You have done them all. Well done!"),
        "timeUp": _("Time is up. Well done!"),
        "halfWay": _("Half of the time is over."),
        "tenLeft": _("Ten seconds left."),
        "paused": _("Paused"),
        "restFor": _("Rest for {time}"),
        "next": _("Next: {title}"),
        "states": step_states(),
        "offline": _("No connection. What you do is kept here and sent as soon as possible."),
        "refused": _("Your routine cannot be saved any more. Please open it again with a new link."),
        "notTaken": _("This exercise could not be recorded. You can do it again, or skip it."),
        "saving": _("Saving your result …"),
        "notSaved": _("Your result is not saved yet. We keep trying; please leave this page open."),
        "seconds": _("{count} seconds"),
    }
