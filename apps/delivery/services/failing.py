"""Whose sessions may not go on? Those of enrollments that were revoked since (contract 9)."""

from datetime import datetime

import structlog

from apps.delivery.models import PlaySession
from apps.delivery.services.sessions import fail
from apps.tenants import binding

log = structlog.get_logger(__name__)

REASON = "enrollment_revoked"
_AT_ONCE = 100


def fail_sessions_of_revoked_enrollments(*, now: datetime) -> int:
    """Of all clients, each in transactions of its own; how many. One client's failure is not another's."""
    with binding.bound(binding.ALL_CLIENTS):
        revoked = PlaySession.objects.live().filter(enrollment__status="revoked")
        clients = sorted(set(revoked.values_list("client_id", flat=True)))
    failed = 0
    for client_id in clients:
        try:
            with binding.bound(client_id):
                failed += _fail_all(client_id, now)
        except Exception:
            log.exception("client_passed_over", client_id=client_id)
    return failed


def _fail_all(client_id: str, now: datetime) -> int:
    failed = 0
    while count := _fail_some(client_id, now):
        failed += count
    return failed


def _fail_some(client_id: str, now: datetime) -> int:
    """What somebody is changing just now is left for the next round. Person by person: see sessions.py, of locks."""
    with binding.atomic():
        revoked = PlaySession.objects.for_client(client_id).live().filter(enrollment__status="revoked")
        sessions = list(
            revoked.order_by("user_id", "pk").select_for_update(of=("self",), no_key=True, skip_locked=True)[:_AT_ONCE]
        )
        for session in sessions:
            fail(session, reason=REASON, author="", now=now)
    return len(sessions)
