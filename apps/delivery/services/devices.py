"""Which devices do people have, and which of them are trusted? (contract 9, 12)"""

from collections.abc import Collection
from datetime import datetime

from apps.delivery.models import Device
from apps.delivery.services.enrollments import UserNotFound, require_user
from apps.events import outbox
from apps.kernel.refusals import NotFound


class DeviceNotFound(NotFound):
    code = "device.not_found"

    def __init__(self) -> None:
        super().__init__("Device not found")


def register_device(*, client_id: str, user_id: str, name: str, now: datetime, owner: str | None = None) -> Device:
    """A device of this person, untrusted. Where `owner` is given it is theirs: nobody else is there to be named."""
    if owner is not None and user_id != owner:
        raise UserNotFound
    require_user(client_id, user_id)
    device = Device.objects.create(client_id=client_id, user_id=user_id, name=name, created_at=now)
    _record("registered", device, now)
    return device


def set_device_trust(*, client_id: str, device_id: str, trusted: bool, now: datetime) -> Device:
    device = Device.objects.for_client(client_id).locked().filter(pk=device_id).first()
    if device is None:
        raise DeviceNotFound
    if device.trusted != trusted:
        _change(device, trusted, now)
    return device


def set_trust_of_devices(*, client_id: str, device_ids: Collection[str], trusted: bool, now: datetime) -> list[Device]:
    """Those of these that were not so before, changed; their rows are held in one order."""
    rows = Device.objects.for_client(client_id).filter(pk__in=device_ids).exclude(trusted=trusted)
    changed = list(rows.order_by("pk").locked())
    for device in changed:
        _change(device, trusted, now)
    return changed


def _change(device: Device, trusted: bool, now: datetime) -> None:
    device.trusted = trusted
    device.save(update_fields=["trusted"])
    _record("trusted" if trusted else "distrusted", device, now)


def _record(what: str, device: Device, now: datetime) -> None:
    outbox.record(
        client_id=device.client_id,
        event_type=f"delivery.device.{what}.v1",
        subject_id=device.pk,
        payload={"userId": device.user_id},
        now=now,
    )
