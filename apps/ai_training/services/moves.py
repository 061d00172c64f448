"""What changes an AI Move session? (contract 8)"""

from datetime import datetime
from typing import NotRequired, TypedDict

from apps.ai_training import states
from apps.ai_training.models import MoveSession
from apps.ai_training.services.exercises import exercises_named
from apps.ai_training.states import MoveStatus
from apps.kernel.refusals import BadRequest, NotFound
from apps.tenants import binding


class Metadata(TypedDict, total=False):
    """Where the app says that a session belongs."""

    plan_id: str
    routine_instance_id: str
    routine_run_id: str
    sequence_index: int


class Figures(TypedDict):
    """What AI Move saw so far; what is not given stays."""

    status: NotRequired[str]
    rep_count: NotRequired[int]
    target_rep_count: NotRequired[int]
    pose_similarity: NotRequired[float]
    engagement_level: NotRequired[float]
    duration_seconds: NotRequired[float]
    calories_burned: NotRequired[float]


class SessionNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("AI Move session not found")


def create_session(*, client_id: str, uid: str, exercise_id: str, metadata: Metadata, now: datetime) -> MoveSession:
    """A person begins an exercise. BadRequest for one that their client does not have."""
    with binding.atomic():
        exercise = exercises_named(client_id, [("exerciseId", exercise_id)])[exercise_id]
        return MoveSession.objects.create(
            client_id=client_id, user_id=uid, exercise=exercise, created_at=now, **metadata
        )


def update_session(*, client_id: str, uid: str, session_id: str, figures: Figures, now: datetime) -> MoveSession:
    """Take in what AI Move saw. Once a session is closed its figures stand, so that a run may rely on them."""
    if not figures:
        raise BadRequest("No valid fields to update")
    with binding.atomic():
        rows = MoveSession.objects.for_client(client_id).filter(user_id=uid).locked()
        session = rows.select_related("exercise").filter(pk=session_id).first()
        if session is None:
            raise SessionNotFound
        status = figures.get("status")
        states.require(states.MOVE, "AI Move session", session.status, status)
        for name, value in figures.items():
            setattr(session, name, value)
        if status in (MoveStatus.COMPLETED, MoveStatus.ABANDONED):
            # Two servers' clocks can disagree; a session never ends before it began.
            session.ended_at = max(now, session.created_at)
        session.save()
    return session
