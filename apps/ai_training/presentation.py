"""How do templates, plans and runs look to whoever asks? As plain values, which the serializers name. (003)"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apps.ai_training.adherence import Report
from apps.ai_training.models import (
    Exercise,
    MoveSession,
    RoutineInstance,
    RoutineRun,
    RoutineStep,
    RoutineTemplate,
    RoutineTemplateVersion,
    RunStep,
)
from apps.ai_training.states import TemplateStatus, VersionStatus
from apps.tenants.models import LIBRARY_CLIENT_ID, Client, EndUser

Values = dict[str, Any]
Locales = Sequence[str]


def locales_of(person: EndUser, client: Client) -> Locales:
    """In which languages a person is told what is told in one: theirs, their client's, English."""
    return (person.locale, client.default_locale, "en")


def in_one(text: Mapping[str, str], locales: Locales) -> str:
    """The text in the first of these languages that it has, or in any."""
    return next((text[locale] for locale in locales if text.get(locale)), next(iter(text.values()), ""))


def source_of(client_id: str) -> str:
    return "library" if client_id == LIBRARY_CLIENT_ID else "client"


def template(row: RoutineTemplate, *, to_client: str) -> Values:
    """The template as its owner edits it (the draft, if there is one), or as it serves everybody else.

    The row has `current` (TemplateQuerySet.with_content).
    """
    versions = {version.status: version for version in current(row)}
    published = versions.get(VersionStatus.PUBLISHED)
    draft = versions.get(VersionStatus.DRAFT) if row.client_id == to_client else None
    version = draft or published
    assert version is not None, "nobody but its owner is shown a template that was never published"
    archived = row.status == TemplateStatus.ARCHIVED
    return {
        "routine_template_id": row.id,
        "client_id": row.client_id,
        "source": source_of(row.client_id),
        "status": TemplateStatus.ARCHIVED if archived else version.status,
        "version": version.number,
        "published_version": published.number if published else None,
        **content(version),
        "created_at": row.created_at,
        "updated_at": row.modified_at,
        "visible": getattr(row, "visible", None),
    }


def current(row: RoutineTemplate) -> list[RoutineTemplateVersion]:
    """What `with_content` fetched."""
    versions: list[RoutineTemplateVersion] = getattr(row, "current")  # noqa: B009 - known to the queryset only
    return versions


def content(version: RoutineTemplateVersion) -> Values:
    columns = ("name", "description", "goal", "intensity", "minutes", "equipment", "risk_tiers")
    steps: list[RoutineStep] = getattr(version, "ordered_steps")  # noqa: B009 - known to the queryset only
    return {**{name: getattr(version, name) for name in columns}, "steps": [template_step(step) for step in steps]}


def template_step(step: RoutineStep) -> Values:
    """With the one target that it has."""
    target = "target_reps" if step.target_reps is not None else "target_seconds"
    return {
        "exercise_id": step.exercise.exercise_id,
        "title": step.title,
        target: getattr(step, target),
        "rest_seconds": step.rest_seconds,
        "guided": step.guided,
    }


def instances(rows: Iterable[RoutineInstance], locales: Locales) -> list[Values]:
    """In the order given, which is that of the queue."""
    return [instance(row, place, locales) for place, row in enumerate(rows)]


def instance(row: RoutineInstance, place: int, locales: Locales) -> Values:
    return {
        "routine_instance_id": row.id,
        "routine_template_id": row.template_id,
        "routine_template_name": in_one(row.version.name, locales),
        "routine_template_version": row.version.number,
        "queue_index": place,
        "status": row.status,
        "defer_count": row.defer_count,
        "rationale": row.rationale,
    }


def run(row: RoutineRun, client: Client) -> Values:
    """The whole run; the row is one of RunQuerySet.whole()."""
    steps: list[RunStep] = getattr(row, "ordered_steps")  # noqa: B009 - known to the queryset only
    return {
        "routine_run_id": row.id,
        "client_id": row.client_id,
        "user_id": row.user_id,
        "plan_id": row.instance.plan_id,
        "routine_instance_id": row.instance_id,
        "routine_template_id": row.instance.template_id,
        "routine_template_name": in_one(row.instance.version.name, locales_of(row.user, client)),
        "status": row.status,
        "started_from": row.started_from,
        "current_step_index": row.current_step_index,
        "summary": {
            "completed_exercises": row.completed_exercises,
            "total_exercises": row.total_exercises,
            "completion_rate": row.completion_rate,
            "total_duration_seconds": row.total_duration_seconds,
            "total_calories_burned": row.total_calories_burned,
        },
        "exercise_steps": [run_step(step) for step in steps],
        "created_at": row.created_at,
        "ended_at": row.ended_at,
    }


def run_step(row: RunStep) -> Values:
    """What is to be done, and what came of it."""
    seen = row.session
    return {
        "sequence_index": row.sequence,
        "step_id": row.id,
        "exercise_id": row.step.exercise.exercise_id,
        "title": row.step.title or row.step.exercise.name,
        "target_reps": row.step.target_reps,
        "target_seconds": row.step.target_seconds,
        "rest_seconds": row.step.rest_seconds,
        "guided": row.step.guided,
        "status": row.status,
        "ai_move_session_id": seen.id if seen else None,
        "rep_count": seen.rep_count if seen else None,
        "pose_similarity": seen.pose_similarity if seen else None,
        "engagement_level": seen.engagement_level if seen else None,
        "duration_seconds": row.duration_seconds,
        "calories_burned": row.calories_burned,
    }


def exercise(row: Exercise) -> Values:
    return {
        "exercise_id": row.exercise_id,
        "client_id": row.client_id,
        "source": source_of(row.client_id),
        "name": row.name,
        "description": row.description,
        "equipment": row.equipment,
    }


def session(row: MoveSession) -> Values:
    named = ("plan_id", "routine_instance_id", "routine_run_id", "sequence_index")
    figures = ("rep_count", "target_rep_count", "pose_similarity", "engagement_level")
    return {
        "session_id": row.id,
        "ai_move_session_id": row.id,
        "client_id": row.client_id,
        "user_id": row.user_id,
        "exercise_id": row.exercise.exercise_id,
        "status": row.status,
        "metadata": {name: None if (said := getattr(row, name)) == "" else said for name in named},
        **{name: getattr(row, name) for name in figures},
        "duration_seconds": row.duration_seconds,
        "calories_burned": row.calories_burned,
        "created_at": row.created_at,
        "ended_at": row.ended_at,
    }


def report(of: Report) -> Values:
    return {
        "adherence": of.adherence,
        "total_runs": of.total_runs,
        "completed_runs": of.completed_runs,
        "completion_rate": of.completion_rate,
        "series": [
            {
                "label": day.label,
                "completed_runs": day.completed_runs,
                "total_runs": day.total_runs,
                "completion_rate": day.completion_rate,
            }
            for day in of.series
        ],
    }
