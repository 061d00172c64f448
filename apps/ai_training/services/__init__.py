"""What changes training, and when is it refused? (003, contract 8)"""

from apps.ai_training.services.exercises import ExerciseChanges, ExerciseFields, create_exercise, update_exercise
from apps.ai_training.services.library import show_templates
from apps.ai_training.services.moves import Figures, Metadata, SessionNotFound, create_session, update_session
from apps.ai_training.services.overrides import override_instance
from apps.ai_training.services.plans import (
    Generated,
    InstanceNotFound,
    NoEligibleTemplates,
    assign_template,
    candidate_of,
    defer_instance,
    generate_plan,
)
from apps.ai_training.services.runs import Report, RunFields, RunNotFound, change_run, start_run, sync_run
from apps.ai_training.services.templates import (
    StepFields,
    TemplateFields,
    TemplateNotFound,
    content_of,
    create_template,
    publish_template,
    restore_version,
    update_template,
)

__all__ = [
    "ExerciseChanges",
    "ExerciseFields",
    "Figures",
    "Generated",
    "InstanceNotFound",
    "Metadata",
    "NoEligibleTemplates",
    "Report",
    "RunFields",
    "RunNotFound",
    "SessionNotFound",
    "StepFields",
    "TemplateFields",
    "TemplateNotFound",
    "assign_template",
    "candidate_of",
    "change_run",
    "content_of",
    "create_exercise",
    "create_session",
    "create_template",
    "defer_instance",
    "generate_plan",
    "override_instance",
    "publish_template",
    "restore_version",
    "show_templates",
    "start_run",
    "sync_run",
    "update_exercise",
    "update_session",
    "update_template",
]
