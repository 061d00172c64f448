"""What changes a routine template, and when is a version of it published? (contract 8)"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NotRequired, TypedDict, cast

from apps.ai_training import states
from apps.ai_training.models import RoutineStep, RoutineTemplate, RoutineTemplateVersion
from apps.ai_training.services.exercises import exercises_named
from apps.ai_training.states import TemplateStatus, VersionStatus
from apps.kernel.ids import new_id
from apps.kernel.localized import Localized, merge
from apps.kernel.refusals import BadRequest, Conflict, Detail, Forbidden, NotFound
from apps.tenants import binding
from apps.tenants.models import Client

_COLUMNS = ("name", "description", "goal", "intensity", "minutes", "equipment", "risk_tiers")
_TEXTS = ("name", "description")
_UNSAID: dict[str, Any] = {"title": {}, "target_reps": None, "target_seconds": None, "rest_seconds": 0, "guided": False}
_STEP_COLUMNS = ("exercise_id", "title", "target_reps", "target_seconds", "rest_seconds", "guided")


class StepFields(TypedDict):
    """`exercise_id` is the exercise's name for apps. One of the two targets is given."""

    exercise_id: str
    title: NotRequired[Localized]
    target_reps: NotRequired[int | None]
    target_seconds: NotRequired[int | None]
    rest_seconds: NotRequired[int]
    guided: NotRequired[bool]


class TemplateFields(TypedDict, total=False):
    """What an administrator may say of a template; `steps` are all of them."""

    name: Localized
    description: Localized
    goal: str
    intensity: str
    minutes: int
    equipment: list[str]
    risk_tiers: list[str]
    steps: list[StepFields]


class TemplateNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("Routine template not found")


def create_template(
    *, client: Client, fields: TemplateFields, author: str, now: datetime, template_id: str | None = None
) -> RoutineTemplate:
    """A new template of this client: the draft of its first version."""
    with binding.atomic():
        template = RoutineTemplate.objects.create(
            id=template_id or new_id("template_"),
            client=client,
            created_by=author,
            created_at=now,
            modified_by=author,
            modified_at=now,
        )
        columns = {name: value for name, value in fields.items() if name != "steps"}
        draft = RoutineTemplateVersion.objects.create(client=client, template=template, number=1, **columns)
        _place(draft, fields.get("steps", []))
    return template


def update_template(
    *,
    client: Client,
    template_id: str,
    fields: TemplateFields,
    author: str,
    now: datetime,
    status: str | None = None,
    merging: bool = False,
) -> RoutineTemplate:
    """What is given changes, in the draft; of a published template that is the next version, and the published one
    still serves. Nothing that changes nothing makes a draft.

    A text is replaced or, with `merging`, changed in the languages given. The status `archived` is for good.
    """
    with binding.atomic():
        template = _held(client.id, template_id)
        _change_draft(template, fields, merging)
        if status is not None:
            _change_status(template, status)
        template.modified_by, template.modified_at = author, now
        template.save()
    return template


def publish_template(*, client: Client, template_id: str, author: str, now: datetime) -> RoutineTemplate:
    """Freeze the draft, which serves from now on. Whoever was given an earlier version keeps it.

    Conflict if nothing has changed since the last time, BadRequest if there is nothing to do in it.
    """
    with binding.atomic():
        template = _held(client.id, template_id)
        draft, published = _current(template)
        if draft is None or (published is not None and content_of(draft) == content_of(published)):
            raise Conflict("Routine template has no changes to publish")
        if not draft.steps.exists():
            raise BadRequest("Invalid request", details=[Detail("steps", "A routine without steps is not published.")])
        if published is not None:
            published.status = VersionStatus.SUPERSEDED
            published.save(update_fields=["status"])
        draft.status, draft.published_by, draft.published_at = VersionStatus.PUBLISHED, author, now
        draft.save(update_fields=["status", "published_by", "published_at"])
        template.status, template.modified_by, template.modified_at = TemplateStatus.PUBLISHED, author, now
        template.save()
    return template


def restore_version(*, client: Client, template_id: str, number: int, author: str, now: datetime) -> RoutineTemplate:
    """Have the draft say what an earlier version said; it is published like any other."""
    versions = RoutineTemplateVersion.objects.for_client(client.id).filter(template_id=template_id, number=number)
    version = versions.exclude(status=VersionStatus.DRAFT).first()
    if version is None:
        raise NotFound("Version not found")
    content = content_of(version)
    return update_template(client=client, template_id=template_id, fields=content, author=author, now=now)


def content_of(version: RoutineTemplateVersion) -> TemplateFields:
    """All that a version says, as an author would say it; two that say the same are equal."""
    rows = version.steps.select_related("exercise").order_by("sequence")
    steps: Any = [
        {name: step.exercise.exercise_id if name == "exercise_id" else getattr(step, name) for name in _STEP_COLUMNS}
        for step in rows
    ]
    content: Any = {name: getattr(version, name) for name in _COLUMNS}
    content["steps"] = steps
    return cast(TemplateFields, content)


def _held(client_id: str, template_id: str) -> RoutineTemplate:
    """The client's own template, its row locked until the transaction ends; of the library's they may only read."""
    template = RoutineTemplate.objects.for_client(client_id).locked().filter(pk=template_id).first()
    if template is None:
        if RoutineTemplate.objects.library().filter(pk=template_id).exists():
            raise Forbidden("A template of the library is changed by the platform's staff")
        raise TemplateNotFound
    if states.is_closed(states.TEMPLATE, template.status):
        raise Conflict("Routine template is archived")
    return template


def _current(template: RoutineTemplate) -> tuple[RoutineTemplateVersion | None, RoutineTemplateVersion | None]:
    """Its draft and its published version."""
    rows = {version.status: version for version in template.versions.exclude(status=VersionStatus.SUPERSEDED)}
    return rows.get(VersionStatus.DRAFT), rows.get(VersionStatus.PUBLISHED)


def _change_draft(template: RoutineTemplate, fields: TemplateFields, merging: bool) -> None:
    draft, published = _current(template)
    base = draft or published
    assert base is not None, "every template has a draft or a published version"
    before = content_of(base)
    after: Any = {**before}
    for name, value in fields.items():
        after[name] = merge(before[name], value) if merging and name in _TEXTS else value  # type: ignore[literal-required, arg-type]
    after["steps"] = [_whole(step) for step in after["steps"]]
    if not any(text.strip() for text in after["name"].values()):
        raise BadRequest("Invalid request", details=[Detail("name", "A routine has a name.")])
    if after == before:
        return
    if draft is None:
        draft = RoutineTemplateVersion(client_id=base.client_id, template=template, number=base.number + 1)
    for name in _COLUMNS:
        setattr(draft, name, after[name])
    draft.save()
    if after["steps"] != before["steps"] or base is not draft:
        draft.steps.all().delete()
        _place(draft, after["steps"])


def _change_status(template: RoutineTemplate, status: str) -> None:
    """Archive it; what is edited is a draft anyway, and what serves was published, by `publish_template` alone."""
    if status == TemplateStatus.ARCHIVED:
        template.status = status
    elif status == TemplateStatus.PUBLISHED and template.status != status:
        raise states.IllegalTransition("Routine template", template.status, status)


def _whole(step: StepFields) -> dict[str, Any]:
    """A step with everything said."""
    return {name: {**_UNSAID, **step}[name] for name in _STEP_COLUMNS}


def _place(draft: RoutineTemplateVersion, steps: Sequence[StepFields]) -> None:
    names = [(f"steps.{place}.exerciseId", step["exercise_id"]) for place, step in enumerate(steps)]
    exercises = exercises_named(draft.client_id, names)
    rows = []
    for sequence, step in enumerate(steps):
        columns = {name: value for name, value in _whole(step).items() if name != "exercise_id"}
        exercise = exercises[step["exercise_id"]]
        rows.append(
            RoutineStep(client_id=draft.client_id, version=draft, sequence=sequence, exercise=exercise, **columns)
        )
    RoutineStep.objects.bulk_create(rows)
