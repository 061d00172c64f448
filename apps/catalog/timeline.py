"""Can a lesson's sessions follow one another like this? (contract 4)"""

from collections.abc import Sequence
from decimal import Decimal
from typing import TypedDict

from apps.kernel.localized import Localized
from apps.kernel.refusals import Detail


class SessionFields(TypedDict, total=False):
    """One session as it was given; the two times, in seconds, are always there."""

    title: Localized
    start_seconds: Decimal
    end_seconds: Decimal
    category: str
    rep_pose_id: str | None
    target_rep_count: int | None


def timeline_problems(sessions: Sequence[SessionFields], duration: float) -> list[Detail]:
    """What is wrong with these sessions of a lesson of so many seconds; each problem names its field."""
    found: list[Detail] = []
    for index, session in enumerate(sessions):
        found += _session_problems(f"sessions.{index}", session, duration)
    in_order = sorted(range(len(sessions)), key=lambda index: sessions[index]["start_seconds"])
    # Against all that went before, not only the last: a long session may reach over a short one.
    reached = Decimal(0)
    for index in in_order:
        if sessions[index]["start_seconds"] < reached:
            found.append(Detail(f"sessions.{index}.startSeconds", "Starts before the session before it has ended."))
        reached = max(reached, sessions[index]["end_seconds"])
    return found


def _session_problems(path: str, session: SessionFields, duration: float) -> list[Detail]:
    found: list[Detail] = []
    if session["start_seconds"] >= session["end_seconds"]:
        found.append(Detail(f"{path}.endSeconds", "Must be after startSeconds."))
    if float(session["end_seconds"]) > duration:
        found.append(Detail(f"{path}.endSeconds", "Must not be after the end of the lesson."))
    pose, count = session.get("rep_pose_id") or None, session.get("target_rep_count")
    if pose is None and count is not None:
        found.append(Detail(f"{path}.repPoseId", "Must be given together with repCount."))
    if pose is not None and count is None:
        found.append(Detail(f"{path}.repCount", "Must be given together with repPoseId."))
    return found
