"""What happens when the ledger does not add up? It is said where somebody looks (quality.md)."""

from datetime import datetime

import structlog

from apps.billing import verification
from apps.events import outbox
from apps.tenants import binding
from apps.tenants.models import LIBRARY_CLIENT_ID

log = structlog.get_logger(__name__)

_TOLD = 20


def report_differences(*, now: datetime) -> int:
    """Verify all ledgers; what differs is logged as an error and told to the platform by an event. How many lines."""
    found = verification.differences()
    if not found:
        return 0
    lines = [str(difference) for difference in found[:_TOLD]]
    log.error("ledger_differs", differences=len(found), lines=lines)
    with binding.bound(LIBRARY_CLIENT_ID), binding.atomic():
        outbox.record(
            client_id=LIBRARY_CLIENT_ID,
            event_type="billing.ledger_differs",
            subject_id=LIBRARY_CLIENT_ID,
            payload={"differences": len(found), "lines": lines},
            now=now,
        )
    return len(found)
