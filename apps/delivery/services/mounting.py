"""May a session go on from a bundle on its device, without a network? (004 3.9 and 3.10, contract 9)

The session's row is held, as for any change of it, and the bundle is kept from being revoked meanwhile; of two who
mount the same on one device, an index of the table lets one. The attempt is counted before the licence is looked at,
and stays counted: so nobody tries licences faster than that.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from apps.accounts.principal import Principal
from apps.api import limits
from apps.delivery import rates
from apps.delivery.models import Bundle, BundleRevocation, Device, License, Mount, PlaySession
from apps.delivery.querysets import kept
from apps.delivery.services.licensing import DeviceNotTrusted, check_license
from apps.delivery.services.revoking import BundleNotFound, BundleRevoked
from apps.delivery.services.sessions import change, held_session, require, require_version
from apps.delivery.states import SessionAction, SessionState
from apps.events import outbox
from apps.kernel.refusals import Conflict, NotFound, Unprocessable


class AlreadyMounted(Conflict):
    code = "bundle.already_mounted"

    def __init__(self) -> None:
        super().__init__("The bundle is mounted on this device already")


class IntegrityFailed(Unprocessable):
    code = "bundle.integrity_failed"

    def __init__(self) -> None:
        super().__init__("The checksum is not the bundle's")


class MountNotFound(NotFound):
    code = "mount.not_found"

    def __init__(self) -> None:
        super().__init__("Mount not found")


class NotMounted(Conflict):
    code = "mount.not_mounted"

    def __init__(self) -> None:
        super().__init__("The bundle was unmounted already")


@dataclass(frozen=True, slots=True)
class Mounting:
    """A mount, and the session as it is with it or without it."""

    mount: Mount
    session: PlaySession


def mount_bundle(
    *,
    principal: Principal,
    client_id: str,
    session_id: str,
    bundle_id: str,
    envelope: str,
    checksum: str,
    expected_version: int | None = None,
    now: datetime,
) -> Mounting:
    """From now on the session's device plays this bundle. Every refusal in 004's order."""
    session = held_session(principal, client_id, session_id)
    require(session, expected_version, SessionState.ACTIVE, SessionState.PAUSED)
    device_id = _trusted_device(session)
    limits.take([(rates.MOUNTS, device_id)])
    bundle = _usable_bundle(session, bundle_id)
    license_ = check_license(client_id=client_id, envelope=envelope, bundle=bundle, device_id=device_id, now=now)
    open_mounts = Mount.objects.for_client(client_id).filter(unmounted_at__isnull=True)
    if open_mounts.filter(device_id=device_id, bundle=bundle).exists():
        raise AlreadyMounted
    # One that is not ready has no checksum, and so none that fits.
    if not bundle.is_ready or checksum != bundle.checksum:
        raise IntegrityFailed
    mount = _mounted(session, bundle, license_, device_id, now)
    session.is_offline = True
    change(session, SessionAction.MOUNTED, author=principal.subject, now=now)
    _record("mounted", mount, session, now)
    return Mounting(mount, session)


def unmount_bundle(
    *,
    principal: Principal,
    client_id: str,
    session_id: str,
    mount_id: str,
    reason: str = "",
    expected_version: int | None = None,
    now: datetime,
) -> Mounting:
    """The device plays it no longer, and may mount it again. Of an ended session, too, or nobody else could have it."""
    session = held_session(principal, client_id, session_id)
    mounts = Mount.objects.for_client(client_id).filter(session=session)
    mount = mounts.locked().filter(pk=mount_id).first()
    if mount is None:
        raise MountNotFound
    if mount.unmounted_at is not None:
        raise NotMounted
    require_version(session, expected_version)
    mount.unmounted_at, mount.reason = max(now, mount.mounted_at), reason
    mount.save(update_fields=["unmounted_at", "reason"])
    session.is_offline = mounts.filter(unmounted_at__isnull=True).exists()
    change(session, SessionAction.UNMOUNTED, author=principal.subject, now=now)
    _record("unmounted", mount, session, now)
    return Mounting(mount, session)


def _trusted_device(session: PlaySession) -> str:
    """A session without a device has none that could be trusted."""
    trusted = Device.objects.for_client(session.client_id).filter(pk=session.device_id, trusted=True)
    if session.device_id is None or not trusted.exists():
        raise DeviceNotTrusted
    return session.device_id


def _usable_bundle(session: PlaySession, bundle_id: str) -> Bundle:
    """One of the session's course version, which nobody revokes until this is committed."""
    of_version = Bundle.objects.for_client(session.client_id).filter(course_version_id=session.course_version_id)
    bundle = kept(of_version.filter(pk=bundle_id))
    if bundle is None:
        raise BundleNotFound
    if BundleRevocation.objects.for_client(session.client_id).filter(bundle=bundle).exists():
        raise BundleRevoked
    return bundle


def _mounted(session: PlaySession, bundle: Bundle, license_: License, device_id: str, now: datetime) -> Mount:
    try:
        with transaction.atomic():
            return Mount.objects.create(
                client_id=session.client_id,
                session=session,
                device_id=device_id,
                bundle=bundle,
                license=license_,
                expires_at=license_.expires_at,
                mounted_at=now,
            )
    except IntegrityError as error:
        # Another session of this device was quicker, and the index had us wait for it.
        raise AlreadyMounted from error


def _record(what: str, mount: Mount, session: PlaySession, now: datetime) -> None:
    payload = {
        "mountId": mount.pk,
        "bundleId": mount.bundle_id,
        "deviceId": mount.device_id,
        "playSessionId": session.pk,
        "userId": session.user_id,
    }
    outbox.record(
        client_id=session.client_id,
        event_type=f"delivery.bundle.{what}.v1",
        subject_id=mount.bundle_id,
        payload={**payload, "reason": mount.reason} if mount.reason else payload,
        now=now,
    )
