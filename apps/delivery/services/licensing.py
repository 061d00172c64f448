"""Who may play a bundle on which device, and how does a device prove it without asking? (contract 9, 12)

A client has one key that signs. It is made with the first licence; a rotation puts another in its place, and what the
old one has signed is good until a date. A key is kept as it is while something is signed with it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet

from apps.accounts.principal import Principal
from apps.delivery import licences
from apps.delivery.licences import Claims, Envelope, Unacceptable
from apps.delivery.models import Bundle, Device, Enrollment, License, LicenseKey
from apps.delivery.models.bundles import new_key_id, new_license_id
from apps.delivery.querysets import kept
from apps.delivery.services.bundles import BundleNotReady, find_bundle
from apps.delivery.services.devices import DeviceNotFound
from apps.delivery.services.enrollments import EnrollmentNotFound
from apps.delivery.services.revoking import BundleNotFound, BundleRevoked
from apps.delivery.services.starting import EnrollmentRevoked
from apps.kernel import sealing
from apps.kernel.refusals import BadRequest, Detail, Forbidden

log = structlog.get_logger(__name__)

MOST_DAYS = 365
_PURPOSE = "license_key"


class DeviceNotTrusted(Forbidden):
    code = "device.not_trusted"

    def __init__(self) -> None:
        super().__init__("The device is not registered, or not trusted")


class LicenseInvalid(Forbidden):
    """Whatever is wrong with it: the reason is in the log."""

    code = "license.invalid"

    def __init__(self) -> None:
        super().__init__("The licence is not valid")


class LicenseExpired(Forbidden):
    code = "license.expired"

    def __init__(self) -> None:
        super().__init__("The licence has expired")


@dataclass(frozen=True, slots=True)
class Issued:
    """What is handed out, and the record of it."""

    envelope: str
    license: License


def issue_license(
    *,
    principal: Principal,
    client_id: str,
    bundle_id: str,
    device_id: str,
    expires_at: datetime | None = None,
    now: datetime,
) -> Issued:
    """For any device of the client; a learner's own must be trusted, and their enrollment active."""
    until = _expiry(expires_at, now)
    bundle = Bundle.objects.for_client(client_id).select_related("revocation").filter(pk=bundle_id).first()
    if bundle is None:
        raise BundleNotFound
    if bundle.revoked_at is not None:
        raise BundleRevoked
    device = Device.objects.visible_to(principal, client_id).filter(pk=device_id).first()
    if device is None:
        raise DeviceNotFound
    if principal.is_end_user:
        _require_entitled(client_id, device, bundle)
    key = _signing_key(client_id, now)
    row = License.objects.create(
        id=new_license_id(),
        client_id=client_id,
        bundle=bundle,
        device=device,
        key=key,
        issued_at=now,
        issued_by=principal.subject,
        expires_at=until,
    )
    return Issued(envelope_of(row), row)


def envelope_of(row: License) -> str:
    """What is handed out for it: signed anew, by the key that it was issued with."""
    claims = Claims(
        license_id=row.pk,
        client_id=row.client_id,
        bundle_id=row.bundle_id,
        device_id=row.device_id,
        issued_at=int(row.issued_at.timestamp()),
        expires_at=int(row.expires_at.timestamp()),
        checksum=row.bundle.checksum or None,
    )
    private = json.loads(sealing.unseal(row.key.sealed, purpose=_PURPOSE))
    return licences.sign(claims, algorithm=row.key.algorithm, key_id=row.key_id, private=private)


def find_download(*, principal: Principal, client_id: str, bundle_id: str, now: datetime) -> Bundle:
    """A bundle whose file the caller may have now: of a learner's licences for it one must still be good."""
    bundle = find_bundle(principal=principal, client_id=client_id, bundle_id=bundle_id)
    if bundle.revoked_at is not None:
        raise BundleRevoked
    current = License.objects.for_client(client_id).filter(bundle=bundle, expires_at__gt=now)
    if principal.is_end_user and not current.filter(device__user_id=principal.subject).exists():
        raise LicenseExpired
    if not bundle.is_ready:
        raise BundleNotReady(bundle.status)
    return bundle


def check_license(*, client_id: str, envelope: str, bundle: Bundle, device_id: str, now: datetime) -> License:
    """The record of a licence that lets this device play this bundle now. LicenseInvalid; LicenseExpired."""
    try:
        claims = _verified(client_id, licences.parse(envelope), now)
        row = _recorded(client_id, claims)
        if (claims.client_id, claims.bundle_id, claims.device_id) != (client_id, bundle.pk, device_id):
            raise Unacceptable("it is for something else")
        if claims.checksum is not None and claims.checksum != bundle.checksum:
            raise Unacceptable("it is for other bytes")
    except Unacceptable as reason:
        log.info("license_invalid", bundle_id=bundle.pk, device_id=device_id, reason=str(reason))
        raise LicenseInvalid from reason
    if row.expires_at <= now:
        raise LicenseExpired
    return row


def rotate_license_key(
    *, client_id: str, algorithm: str, verifies_until: datetime | None = None, author: str, now: datetime
) -> LicenseKey:
    """Another key signs from now on. What the old one has signed is good until then; by default, all of it."""
    while (current := _signing(client_id, _held)) is None:
        if first := _first_key(client_id, algorithm, author, now):
            return first
    last = License.objects.for_client(client_id).filter(key=current).aggregate(last=Max("expires_at"))["last"]
    current.retired_at = max(now, current.created_at)
    current.verifies_until = max(verifies_until or last or now, current.retired_at)
    current.save(update_fields=["retired_at", "verifies_until"])
    return _made_key(client_id, algorithm, author, now)


def verifying_keys(client_id: str, now: datetime) -> "QuerySet[LicenseKey]":
    """Those whose licences count: the one that signs, and retired ones until their date; the newest first."""
    good = Q(retired_at__isnull=True) | Q(verifies_until__gt=now)
    return LicenseKey.objects.for_client(client_id).filter(good).order_by("-id")


def key_set(*, client_id: str, now: datetime) -> dict[str, Any]:
    """RFC 7517: what a device needs to read its licences, and nothing to sign one."""
    return {"keys": list(verifying_keys(client_id, now).values_list("public", flat=True))}


def _expiry(asked: datetime | None, now: datetime) -> datetime:
    """In whole seconds, as a licence counts them."""
    until = (asked or now + timedelta(days=settings.LICENSE_DAYS)).replace(microsecond=0)
    if until <= now:
        raise BadRequest("Invalid request", details=[Detail("expiresAt", "Must be in the future.")])
    if until > now + timedelta(days=MOST_DAYS):
        raise BadRequest("Invalid request", details=[Detail("expiresAt", f"Must be within {MOST_DAYS} days.")])
    return until


def _require_entitled(client_id: str, device: Device, bundle: Bundle) -> None:
    if not device.trusted:
        raise DeviceNotTrusted
    theirs = Enrollment.objects.of_user(client_id, device.user_id).filter(course_version_id=bundle.course_version_id)
    statuses = set(theirs.values_list("status", flat=True))
    if not statuses:
        raise EnrollmentNotFound
    if Enrollment.Status.ACTIVE not in statuses:
        raise EnrollmentRevoked


def _signing_key(client_id: str, now: datetime) -> LicenseKey:
    """The client's, which is not retired before this transaction ends; made where there is none."""
    while (current := _signing(client_id, kept)) is None:
        if first := _first_key(client_id, settings.LICENSE_ALGORITHM, "", now):
            return first
    if can_sign(current):
        return current
    log.warning("license_key_lost", key_id=current.pk)
    return rotate_license_key(client_id=client_id, algorithm=current.algorithm, author="", now=now)


def can_sign(key: LicenseKey) -> bool:
    """Not when the SECRET_KEY that sealed it is gone. What it has signed is good all the same."""
    try:
        sealing.unseal(key.sealed, purpose=_PURPOSE)
    except InvalidToken:
        return False
    return True


def _signing(client_id: str, hold: "Callable[[QuerySet[LicenseKey]], LicenseKey | None]") -> LicenseKey | None:
    """The one that signs, held; None where the client has none."""
    signing = LicenseKey.objects.for_client(client_id).filter(retired_at__isnull=True)
    while True:
        key = hold(signing)
        # Retired between its being found and its being held: then there is another by now.
        if key is not None or not signing.exists():
            return key


def _held(keys: "QuerySet[LicenseKey]") -> LicenseKey | None:
    return keys.select_for_update(no_key=True).first()


def _first_key(client_id: str, algorithm: str, author: str, now: datetime) -> LicenseKey | None:
    """None when somebody else was quicker."""
    try:
        with transaction.atomic():
            return _made_key(client_id, algorithm, author, now)
    except IntegrityError:
        return None


def _made_key(client_id: str, algorithm: str, author: str, now: datetime) -> LicenseKey:
    key_id = new_key_id()
    pair = licences.new_key(algorithm, key_id)
    return LicenseKey.objects.create(
        id=key_id,
        client_id=client_id,
        algorithm=algorithm,
        sealed=sealing.seal(json.dumps(pair.private), purpose=_PURPOSE),
        public=pair.public,
        created_at=now,
        created_by=author,
    )


def _verified(client_id: str, envelope: Envelope, now: datetime) -> Claims:
    key = verifying_keys(client_id, now).filter(pk=envelope.key_id).first()
    if key is None:
        raise Unacceptable("no key of this tenant has signed it, or not any more")
    return licences.verify(envelope, algorithm=key.algorithm, public=key.public)


def _recorded(client_id: str, claims: Claims) -> License:
    """Whoever got hold of a key has no record of what they sign with it."""
    row = License.objects.for_client(client_id).filter(pk=claims.license_id).first()
    told = (claims.bundle_id, claims.device_id, datetime.fromtimestamp(claims.expires_at, UTC))
    if row is None or told != (row.bundle_id, row.device_id, row.expires_at):
        raise Unacceptable("there is no record of it")
    return row
