"""What a learner takes along offline: bundles, the licences and keys to play them on a device, mounts (contract 9)."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.delivery.models.courses import CourseVersion, Device
from apps.delivery.models.sessions import PlaySession
from apps.delivery.querysets import BundleQuerySet
from apps.kernel.ids import new_id
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client


def new_bundle_id() -> str:
    return new_id("bnd_")


def new_key_id() -> str:
    return new_id("lky_")


def new_license_id() -> str:
    return new_id("lic_")


def new_mount_id() -> str:
    return new_id("mnt_")


class Bundle(models.Model):
    """One course version as a file. A job builds it; ready, its bytes and checksum never change."""

    class Status(models.TextChoices):
        BUILDING = "building", pgettext_lazy("bundle", "Being built")
        READY = "ready", pgettext_lazy("bundle", "Ready")
        FAILED = "failed", pgettext_lazy("bundle", "Failed")

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_bundle_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    course_version = models.ForeignKey(
        CourseVersion,
        on_delete=models.PROTECT,
        related_name="bundles",
        db_index=False,
        verbose_name=_("course version"),
    )
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.BUILDING)
    key = models.CharField(_("place in the store"), max_length=200, blank=True, editable=False)
    size = models.PositiveBigIntegerField(_("size"), null=True, blank=True, help_text=_("In bytes"))
    checksum = models.CharField(
        _("checksum"), max_length=71, blank=True, help_text=_("sha256- and the lower-case hex of the file's bytes")
    )
    problem = models.CharField(_("problem"), max_length=500, blank=True, help_text=_("Why it could not be built"))
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=150, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = BundleQuerySet.as_manager()

    class Meta:
        verbose_name = _("bundle")
        verbose_name_plural = _("bundles")
        ordering = ["-id"]
        indexes: ClassVar = [models.Index(name="bundle_by_version", fields=["client", "course_version", "-id"])]
        constraints: ClassVar = [
            models.UniqueConstraint(name="bundle_of_client", fields=["client", "id"]),
            models.CheckConstraint(name="bundle_status_known", condition=Q(status__in=["building", "ready", "failed"])),
            models.CheckConstraint(
                name="bundle_ready_has_file",
                condition=Q(status="building", finished_at__isnull=True, checksum="", key="")
                | (Q(status="ready", finished_at__isnull=False, size__isnull=False) & ~Q(checksum="") & ~Q(key=""))
                | (Q(status="failed", finished_at__isnull=False, checksum="", key="") & ~Q(problem="")),
            ),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def revoked_at(self) -> datetime | None:
        revocation: BundleRevocation | None = getattr(self, "revocation", None)
        return revocation.revoked_at if revocation else None

    @property
    def is_ready(self) -> bool:
        return self.status == self.Status.READY


class BundleRevocation(models.Model):
    """From now on nobody mounts the bundle, or goes on with it. Written once, never taken back."""

    bundle = models.OneToOneField(
        Bundle, primary_key=True, on_delete=models.PROTECT, related_name="revocation", verbose_name=_("bundle")
    )
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"))
    revoked_by = models.CharField(_("revoked by"), max_length=150, blank=True)

    objects = TenantQuerySet["BundleRevocation"].as_manager()

    class Meta:
        verbose_name = _("revocation of a bundle")
        verbose_name_plural = _("revocations of bundles")
        ordering = ["-revoked_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="bundle_revocation_of_client", fields=["client", "bundle"])
        ]

    def __str__(self) -> str:
        return self.bundle_id


class LicenseKey(models.Model):
    """One key pair that signs a client's licences. One of them signs; a retired one verifies until a date."""

    class Algorithm(models.TextChoices):
        ED_DSA = "EdDSA", "EdDSA (Ed25519)"
        ES256 = "ES256", "ES256 (P-256)"

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_key_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    algorithm = models.CharField(_("algorithm"), max_length=8, choices=Algorithm.choices)
    sealed = models.TextField(_("private key, sealed"), editable=False)
    public = models.JSONField(_("public key"), help_text=_("As a JSON Web Key"))
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=150, blank=True)
    retired_at = models.DateTimeField(_("retired at"), null=True, blank=True)
    verifies_until = models.DateTimeField(
        _("verifies until"), null=True, blank=True, help_text=_("Licences that it signed are good until then")
    )

    objects = TenantQuerySet["LicenseKey"].as_manager()

    class Meta:
        verbose_name = _("licence key")
        verbose_name_plural = _("licence keys")
        ordering = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="license_key_of_client", fields=["client", "id"]),
            models.UniqueConstraint(
                name="license_key_one_signs", fields=["client"], condition=Q(retired_at__isnull=True)
            ),
            models.CheckConstraint(name="license_key_algorithm_known", condition=Q(algorithm__in=["EdDSA", "ES256"])),
            models.CheckConstraint(
                name="license_key_retired_until",
                condition=Q(retired_at__isnull=True, verifies_until__isnull=True)
                | Q(retired_at__isnull=False, verifies_until__gte=F("retired_at")),
            ),
        ]

    def __str__(self) -> str:
        return self.id


class License(models.Model):
    """One bundle may be played on one device until a time. What is handed out is the JWS; this is the record of it."""

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_license_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    bundle = models.ForeignKey(
        Bundle, on_delete=models.PROTECT, related_name="licenses", db_index=False, verbose_name=_("bundle")
    )
    device = models.ForeignKey(
        Device, on_delete=models.PROTECT, related_name="licenses", db_index=False, verbose_name=_("device")
    )
    key = models.ForeignKey(
        LicenseKey, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("licence key")
    )
    issued_at = models.DateTimeField(_("issued at"))
    issued_by = models.CharField(_("issued by"), max_length=150, blank=True)
    expires_at = models.DateTimeField(_("expires at"))

    objects = TenantQuerySet["License"].as_manager()

    class Meta:
        verbose_name = _("licence")
        verbose_name_plural = _("licences")
        ordering = ["-id"]
        indexes: ClassVar = [
            models.Index(name="license_by_bundle", fields=["client", "bundle", "device"]),
            models.Index(name="license_by_device", fields=["client", "device", "-id"]),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(name="license_of_client", fields=["client", "id"]),
            models.CheckConstraint(name="license_expires_later", condition=Q(expires_at__gt=F("issued_at"))),
        ]

    def __str__(self) -> str:
        return self.id


class Mount(models.Model):
    """One bundle on one device, for one session, until it is unmounted. A device has a bundle mounted once."""

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_mount_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    session = models.ForeignKey(
        PlaySession, on_delete=models.PROTECT, related_name="mounts", db_index=False, verbose_name=_("play session")
    )
    device = models.ForeignKey(
        Device, on_delete=models.PROTECT, related_name="mounts", db_index=False, verbose_name=_("device")
    )
    bundle = models.ForeignKey(
        Bundle, on_delete=models.PROTECT, related_name="mounts", db_index=False, verbose_name=_("bundle")
    )
    license = models.ForeignKey(
        License, on_delete=models.PROTECT, related_name="mounts", db_index=False, verbose_name=_("licence")
    )
    expires_at = models.DateTimeField(_("expires at"), help_text=_("As the licence does"))
    mounted_at = models.DateTimeField(_("mounted at"))
    unmounted_at = models.DateTimeField(_("unmounted at"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True, help_text=_("Why it was unmounted"))

    objects = TenantQuerySet["Mount"].as_manager()

    class Meta:
        verbose_name = _("mount")
        verbose_name_plural = _("mounts")
        ordering = ["-id"]
        indexes: ClassVar = [
            models.Index(name="mount_by_session", fields=["client", "session", "-id"]),
            models.Index(name="mount_by_bundle", fields=["client", "bundle", "-id"]),
            models.Index(name="mount_by_device", fields=["client", "device", "-id"]),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(name="mount_of_client", fields=["client", "id"]),
            models.UniqueConstraint(
                name="mount_one_a_device", fields=["client", "device", "bundle"], condition=Q(unmounted_at__isnull=True)
            ),
            models.CheckConstraint(
                name="mount_unmounted_later",
                condition=Q(unmounted_at__isnull=True) | Q(unmounted_at__gte=F("mounted_at")),
            ),
        ]

    def __str__(self) -> str:
        return self.id
