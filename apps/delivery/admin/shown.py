"""Which licences and mounts belong to what a page is about? The newest of them; its list has all."""

from dataclasses import dataclass
from typing import Any

from apps.delivery.models import Device, License, Mount

_MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Shown:
    rows: list[Any]
    has_more: bool


def shown_licenses(client_id: str, **of: Any) -> Shown:
    """`of` is the bundle or the device that they are for."""
    return _newest(License.objects.for_client(client_id).filter(**of).select_related("device", "bundle"))


def shown_mounts(client_id: str, **of: Any) -> Shown:
    """`of` is the bundle or the session that they are about."""
    return _newest(Mount.objects.for_client(client_id).filter(**of).select_related("device", "session"))


def mounts_on(device: Device, **of: Any) -> Shown:
    """By its owner's sessions, which are few: a device mounts for no others, and there is no index by device."""
    theirs = {"session__client_id": device.client_id, "session__user_id": device.user_id}
    return shown_mounts(device.client_id, device=device, **theirs, **of)


def _newest(rows: Any) -> Shown:
    found = list(rows.order_by("-pk")[: _MOST_SHOWN + 1])
    return Shown(found[:_MOST_SHOWN], len(found) > _MOST_SHOWN)
