"""What does the catalogue say of its changes to whoever wants to know? Events, in the transaction of the change.

A payload holds what cannot be read from the subject later: who did it, and what they changed, by its name in the API. A
change of many lessons is one event, whose subject is the CatalogChange.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from apps.catalog.models import CatalogChange, Lesson, Plan
from apps.events import outbox

_SPELT = {"met": "MET", "video_urls": "videoURLs"}


def announce_created(row: Lesson | Plan, *, author: str, now: datetime) -> None:
    """`lesson.created`, `plan.created`."""
    _record(row.client_id, f"{row._meta.model_name}.created", row.pk, {"author": author}, now)


def announce_updated(
    row: Lesson | Plan, names: Iterable[str], *, client_id: str | None = None, author: str, now: datetime
) -> None:
    """`lesson.updated`, `plan.updated`: these fields of it. `client_id` is whose shelf a library lesson moved on."""
    payload = {"author": author, "fields": sorted(_outside(name) for name in names)}
    _record(client_id or row.client_id, f"{row._meta.model_name}.updated", row.pk, payload, now)


def announce_change(change: CatalogChange, *, author: str, now: datetime) -> None:
    """`catalog.changed`: a bulk change was made or, with `undone`, taken back."""
    payload = {
        "author": author,
        "lessons": len(change.after["shelf"]),
        "plans": len(change.after["plans"]),
        "undone": change.undone_at is not None,
    }
    _record(change.client_id, "catalog.changed", change.pk, payload, now)


def _record(client_id: str, event_type: str, subject_id: str, payload: dict[str, Any], now: datetime) -> None:
    outbox.record(client_id=client_id, event_type=event_type, subject_id=subject_id, payload=payload, now=now)


def _outside(name: str) -> str:
    return _SPELT.get(name) or re.sub("_(.)", lambda letter: letter[1].upper(), name)
