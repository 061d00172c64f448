"""What can be taken along in the demo? Each course that somebody has a trusted device for, and by which licence?"""

from datetime import timedelta

import structlog

from apps.accounts.principal import Principal, Role
from apps.delivery.models import Bundle, Device, License
from apps.delivery.querysets import BundleQuerySet
from apps.delivery.services import bundles, licensing
from apps.delivery.services.gathering import CannotGather
from apps.kernel.clock import now
from apps.kernel.querysets import TenantQuerySet
from apps.kernel.refusals import Unavailable
from apps.ops.demo import courses
from apps.ops.demo.courses import BY, DemoCourse, Seeded
from apps.tenants import binding

log = structlog.get_logger(__name__)

# Whoever tries the demo for the second time still has a licence that is good for a while.
_GOOD_FOR, _RENEWED_BEFORE = timedelta(days=365), timedelta(days=30)


def seed_bundles() -> None:
    """Of the latest version; another, where that was revoked. A licence that ends soon is issued anew."""
    for demo in courses.COURSES:
        with binding.bound(demo.client):
            devices = courses.trusted_devices(demo)
            bundle = _bundle(demo) if devices else None
            if bundle is not None:
                for device in devices:
                    _license(demo.client, bundle, device)


def seeded() -> list[Seeded]:
    """The ready bundles, and the licences as a device has them."""
    return [row for demo in courses.COURSES for row in _seeded(demo)]


def _bundle(demo: DemoCourse) -> Bundle | None:
    """Built here and now, for those who begin at once; where that cannot be, the job that was asked for does it."""
    version = courses.latest_version(demo)
    if version is None:
        return None
    bundle = _bundles(demo.client, version.pk).first()
    if bundle is None:
        with binding.atomic():
            bundle = bundles.create_bundle(client_id=demo.client, course_version_id=version.pk, author=BY, now=now())
    try:
        bundles.build_bundle(client_id=demo.client, bundle_id=bundle.pk, now=now(), finishing=binding.atomic)
    except (CannotGather, Unavailable) as reason:
        log.warning("demo_bundle_not_built", reason=str(reason))
    return bundle


def _license(client_id: str, bundle: Bundle, device: Device) -> None:
    time = now()
    last = _licenses(client_id, bundle.pk).filter(device=device, expires_at__gt=time + _RENEWED_BEFORE).first()
    if last is not None and licensing.can_sign(last.key):
        return
    with binding.atomic():
        licensing.issue_license(
            principal=Principal(Role.CLIENT_ADMIN, client_id, BY),
            client_id=client_id,
            bundle_id=bundle.pk,
            device_id=device.pk,
            expires_at=time + _GOOD_FOR,
            now=time,
        )


def _bundles(client_id: str, version_id: str) -> BundleQuerySet:
    ours = Bundle.objects.for_client(client_id).filter(course_version_id=version_id, created_by=BY)
    return ours.filter(revocation__isnull=True).order_by("-pk")


def _licenses(client_id: str, bundle_id: str) -> "TenantQuerySet[License]":
    return (
        License.objects.for_client(client_id)
        .filter(bundle_id=bundle_id, issued_by=BY)
        .select_related("key")
        .order_by("-pk")
    )


def _seeded(demo: DemoCourse) -> list[Seeded]:
    with binding.bound(demo.client):
        version = courses.latest_version(demo)
        bundle = _bundles(demo.client, version.pk).filter(status=Bundle.Status.READY).first() if version else None
        if bundle is None:
            return []
        rows = [Seeded(demo.client, "bundle", bundle.pk, demo.title["en"])]
        for device in courses.trusted_devices(demo):
            license_ = _licenses(demo.client, bundle.pk).filter(device=device).first()
            if license_ is not None and licensing.can_sign(license_.key):
                envelope = licensing.envelope_of(license_)
                rows.append(Seeded(demo.client, "licence", envelope, device.user_id))
        return rows
