"""Which bundles may nobody use any more? (contract 9, 12)

Whoever mounts a bundle keeps its row from changing meanwhile, and whoever revokes it holds that row: so a mount is
there before the revocation, or is refused.
"""

from datetime import datetime

from apps.delivery.models import Bundle, BundleRevocation, Mount, PlaySession
from apps.events import outbox
from apps.kernel.refusals import Forbidden, NotFound


class BundleNotFound(NotFound):
    code = "bundle.not_found"

    def __init__(self) -> None:
        super().__init__("Bundle not found")


class BundleRevoked(Forbidden):
    code = "bundle.revoked"

    def __init__(self) -> None:
        super().__init__("The bundle was revoked")


def revoke_bundle(*, client_id: str, bundle_id: str, reason: str = "", author: str, now: datetime) -> Bundle:
    """From now on nobody mounts it, downloads it or goes on with it. A second time changes nothing."""
    bundle = held_bundle(client_id, bundle_id)
    if BundleRevocation.objects.for_client(client_id).filter(bundle=bundle).exists():
        return bundle
    BundleRevocation.objects.create(
        client_id=client_id, bundle=bundle, reason=reason, revoked_at=now, revoked_by=author
    )
    payload = {"courseVersionId": bundle.course_version_id, "reason": reason}
    outbox.record(
        client_id=client_id, event_type="delivery.bundle.revoked.v1", subject_id=bundle.pk, payload=payload, now=now
    )
    return bundle


def require_not_revoked(session: PlaySession) -> None:
    """A session whose device still plays a bundle that was revoked does not go on: BundleRevoked."""
    mounted = Mount.objects.for_client(session.client_id).filter(session=session, unmounted_at__isnull=True)
    if mounted.filter(bundle__revocation__isnull=False).exists():
        raise BundleRevoked


def held_bundle(client_id: str, bundle_id: str) -> Bundle:
    """Its row locked until the transaction ends. BundleNotFound."""
    bundle = Bundle.objects.for_client(client_id).locked().filter(pk=bundle_id).first()
    if bundle is None:
        raise BundleNotFound
    return bundle
