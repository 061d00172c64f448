"""What do play sessions cost? Sessions to read, and courses of 12 and of 2,000 lessons to walk through.

A step must cost the same in both: the manifest is compiled once, and a step looks only at where it leads.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

CLIENT = "bench"

SIZES = {"small": 12, "large": 2_000}


def make(client: Any, users: list[str]) -> dict[str, dict[str, str]]:
    """By size, a session of each user that stands on the first lesson."""
    return {name: _sessions(client, users, lessons) for name, lessons in SIZES.items()}


def requests(folder: Path, users: list[str], sessions: dict[str, dict[str, str]]) -> dict[str, Path]:
    """Steps to a lesson in the middle of each size of course, by everybody in turn."""
    from apps.accounts.tokens import issue_id_token

    tokens = {user: issue_id_token(CLIENT, user, timedelta(hours=6)).text for user in users}
    files = {}
    for name, lessons in SIZES.items():
        target = f'{{"target": {{"type": "jump", "targetLessonId": "les_{lessons // 2}"}}}}'
        lines = [
            f"PATCH\t/api/v1/play-sessions/{sessions[name][user]}/navigate\t{tokens[user]}\t{user}\t{target}"
            for user in users
        ]
        files[name] = folder / f"navigate-{name}.txt"
        files[name].write_text("\n".join(lines) + "\n")
    return files


def _sessions(client: Any, users: list[str], lessons: int) -> dict[str, str]:
    from apps.delivery.models import Enrollment, PlaySession
    from apps.delivery.models.courses import new_enrollment_id
    from apps.delivery.models.sessions import new_session_id
    from apps.kernel.clock import now
    from apps.tenants import binding
    from tests.make import a_manifest, make_course_version

    time = now()
    version = make_course_version(client, a_manifest(*({"id": f"les_{place}"} for place in range(lessons))))
    whose = {"client_id": CLIENT, "course_version_id": version.pk}
    enrollments = {user: Enrollment(id=new_enrollment_id(), user_id=user, created_at=time, **whose) for user in users}
    sessions = [
        PlaySession(
            id=new_session_id(),
            user_id=user,
            enrollment_id=enrollment.pk,
            attempt_number=1,
            module_id="mod_01",
            lesson_id="les_0",
            sequence_index=0,
            started_at=time,
            last_activity_at=time,
            **whose,
        )
        for user, enrollment in enrollments.items()
    ]
    with binding.bound(CLIENT):
        Enrollment.objects.bulk_create(enrollments.values())
        PlaySession.objects.bulk_create(sessions)
    return {session.user_id: session.pk for session in sessions}
