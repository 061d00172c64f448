"""The product's Celery app with performers for tests beside it: `celery -A tests.jobs.worker worker`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from apps.jobs.performers import performs
from gofa.celery import app

if TYPE_CHECKING:
    from apps.jobs.work import Work

__all__ = ["app"]


@performs("test.counted")
def count(work: "Work") -> None:
    """An effect that shows when it is there twice."""
    from tests.jobs import registry

    registry.count(work)


@performs("test.blocked")
def block(work: "Work") -> None:
    """Says that it has counted, and commits only when it is let."""
    from tests.jobs import registry

    with work.finishing():
        registry.add_one(work)
        Path(work.payload["begun"]).touch()
        while not Path(work.payload["go"]).exists():
            time.sleep(0.02)
