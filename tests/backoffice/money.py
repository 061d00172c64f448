"""How do tests of the admin spend a client's credits? As the product does, at any time."""

from datetime import datetime

from apps.billing.models import EventType
from apps.billing.services import authorize_and_charge
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client


def charge(
    client: Client,
    activity: str,
    event_type: EventType = EventType.LESSON_PLAY_CREATED,
    at: datetime | None = None,
) -> None:
    with binding.bound(client.id), binding.atomic():
        authorize_and_charge(client=client, event_type=event_type, activity_id=activity, now=at or now())
