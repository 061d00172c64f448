"""The product's Celery app with handlers for tests beside it: `celery -A tests.events.worker worker`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from apps.events.handlers import handles
from gofa.celery import app

if TYPE_CHECKING:
    from apps.events.models import OutboxEvent

__all__ = ["app"]


@handles("test.counted", "test.blocked")
def count(event: "OutboxEvent") -> None:
    """An effect that shows when it is done twice."""
    from django.db.models import F

    from apps.tenants.models import Client

    Client.objects.filter(pk=event.client_id).update(defer_limit=F("defer_limit") + 1)


@handles("test.blocked")
def block(event: "OutboxEvent") -> None:
    """Counts as well, says that it has begun, and commits only when it is let."""
    count(event)
    Path(event.payload["begun"]).touch()
    while not Path(event.payload["go"]).exists():
        time.sleep(0.02)
