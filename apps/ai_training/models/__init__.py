"""What training is made of: exercises and sessions, templates, a person's plan and queue, their runs."""

from apps.ai_training.models.exercises import Exercise, MoveSession
from apps.ai_training.models.plans import InstanceOverride, RoutineInstance, TrainingPlan
from apps.ai_training.models.runs import RoutineRun, RunStep
from apps.ai_training.models.templates import (
    Intensity,
    RoutineStep,
    RoutineTemplate,
    RoutineTemplateVersion,
    VisibleTemplate,
)

__all__ = [
    "Exercise",
    "InstanceOverride",
    "Intensity",
    "MoveSession",
    "RoutineInstance",
    "RoutineRun",
    "RoutineStep",
    "RoutineTemplate",
    "RoutineTemplateVersion",
    "RunStep",
    "TrainingPlan",
    "VisibleTemplate",
]
