"""In which states can a template, a plan, an instance, a run, a step and a session be, and what follows what?
(contract 8)

The one place that says it. The CHECK constraints of the tables name the same states, and a trigger holds what is
closed closed; a test keeps both equal to this.
"""

from collections.abc import Mapping

from django.db.models import TextChoices

from apps.kernel.refusals import Conflict


class TemplateStatus(TextChoices):
    DRAFT = "draft", "Draft"
    PUBLISHED = "published", "Published"
    ARCHIVED = "archived", "Archived"


class VersionStatus(TextChoices):
    """A version is edited while it is a draft, serves while it is published, and is history after that."""

    DRAFT = "draft", "Draft"
    PUBLISHED = "published", "Published"
    SUPERSEDED = "superseded", "Superseded"


class PlanStatus(TextChoices):
    ACTIVE = "active", "Active"
    SUPERSEDED = "superseded", "Superseded"


class InstanceStatus(TextChoices):
    QUEUED = "queued", "Queued"
    IN_PROGRESS = "in-progress", "In progress"
    COMPLETED = "completed", "Completed"
    SKIPPED = "skipped", "Skipped"
    CANCELLED = "cancelled", "Cancelled"


class RunStatus(TextChoices):
    CREATED = "created", "Created"
    IN_PROGRESS = "in-progress", "In progress"
    COMPLETED = "completed", "Completed"
    ABANDONED = "abandoned", "Abandoned"


class StepStatus(TextChoices):
    PENDING = "pending", "Pending"
    IN_PROGRESS = "in-progress", "In progress"
    COMPLETED = "completed", "Completed"
    SKIPPED = "skipped", "Skipped"


class MoveStatus(TextChoices):
    CREATED = "created", "Created"
    IN_PROGRESS = "in-progress", "In progress"
    COMPLETED = "completed", "Completed"
    ABANDONED = "abandoned", "Abandoned"


Follows = Mapping[str, frozenset[str]]


def _follows(table: Mapping[TextChoices, tuple[TextChoices, ...]]) -> Follows:
    return {str(state): frozenset(map(str, later)) for state, later in table.items()}


TEMPLATE = _follows(
    {
        TemplateStatus.DRAFT: (TemplateStatus.PUBLISHED, TemplateStatus.ARCHIVED),
        TemplateStatus.PUBLISHED: (TemplateStatus.ARCHIVED,),
        TemplateStatus.ARCHIVED: (),
    }
)
VERSION = _follows(
    {
        VersionStatus.DRAFT: (VersionStatus.PUBLISHED,),
        VersionStatus.PUBLISHED: (VersionStatus.SUPERSEDED,),
        VersionStatus.SUPERSEDED: (),
    }
)
PLAN = _follows({PlanStatus.ACTIVE: (PlanStatus.SUPERSEDED,), PlanStatus.SUPERSEDED: ()})
# Staff may skip what was not begun, with a reason.
INSTANCE = _follows(
    {
        InstanceStatus.QUEUED: (InstanceStatus.IN_PROGRESS, InstanceStatus.SKIPPED, InstanceStatus.CANCELLED),
        InstanceStatus.IN_PROGRESS: (InstanceStatus.COMPLETED, InstanceStatus.SKIPPED),
        InstanceStatus.COMPLETED: (),
        InstanceStatus.SKIPPED: (),
        InstanceStatus.CANCELLED: (),
    }
)
# What is in a hurry passes through `in-progress` without resting there.
RUN = _follows(
    {
        RunStatus.CREATED: (RunStatus.IN_PROGRESS, RunStatus.COMPLETED, RunStatus.ABANDONED),
        RunStatus.IN_PROGRESS: (RunStatus.COMPLETED, RunStatus.ABANDONED),
        RunStatus.COMPLETED: (),
        RunStatus.ABANDONED: (),
    }
)
# Reports come in any order: a step that was skipped and is then told to have been done, was done.
STEP = _follows(
    {
        StepStatus.PENDING: (StepStatus.IN_PROGRESS, StepStatus.COMPLETED, StepStatus.SKIPPED),
        StepStatus.IN_PROGRESS: (StepStatus.COMPLETED, StepStatus.SKIPPED),
        StepStatus.SKIPPED: (StepStatus.COMPLETED,),
        StepStatus.COMPLETED: (),
    }
)
MOVE = _follows(
    {
        MoveStatus.CREATED: (MoveStatus.IN_PROGRESS, MoveStatus.COMPLETED, MoveStatus.ABANDONED),
        MoveStatus.IN_PROGRESS: (MoveStatus.COMPLETED, MoveStatus.ABANDONED),
        MoveStatus.COMPLETED: (),
        MoveStatus.ABANDONED: (),
    }
)

OPEN_INSTANCE = (InstanceStatus.QUEUED, InstanceStatus.IN_PROGRESS)
OPEN_RUN = (RunStatus.CREATED, RunStatus.IN_PROGRESS)
CLOSED_STEP = (StepStatus.COMPLETED, StepStatus.SKIPPED)


class IllegalTransition(Conflict):
    """The state that is asked for does not follow the one that it is in."""

    def __init__(self, noun: str, before: str, after: str) -> None:
        super().__init__(f"{noun} is {before} and cannot become {after}")


def is_closed(follows: Follows, state: str) -> bool:
    """Nothing follows."""
    return not follows[state]


def require(follows: Follows, noun: str, before: str, after: str | None) -> None:
    """IllegalTransition unless `after` follows `before`, or is the same while that is open.

    None asks for no other state: Conflict if nothing can change any more.
    """
    if after is None:
        if is_closed(follows, before):
            raise Conflict(f"{noun} is {before}")
    elif after not in follows[before] and (after != before or is_closed(follows, before)):
        raise IllegalTransition(noun, before, after)
