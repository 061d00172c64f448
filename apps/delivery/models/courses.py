"""What there is to learn, who takes it, and on what: courses, versions, packages, enrollments, devices (contract 9)."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.delivery.querysets import CourseVersionQuerySet, DeviceQuerySet, EnrollmentQuerySet
from apps.kernel.ids import new_id
from apps.kernel.localized import in_locale
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client, EndUser


def new_course_id() -> str:
    return new_id("crs_")


def new_version_id() -> str:
    return new_id("cv_")


def new_enrollment_id() -> str:
    return new_id("enr_")


def new_device_id() -> str:
    return new_id("dev_")


class Course(models.Model):
    """One course of one client: a title, and the versions that were published of it."""

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_course_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="courses", db_index=False)
    title = models.JSONField(_("title"), help_text=_("By language"))
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=150, blank=True)

    objects = TenantQuerySet["Course"].as_manager()

    class Meta:
        verbose_name = _("course")
        verbose_name_plural = _("courses")
        ordering = ["-id"]
        constraints: ClassVar = [models.UniqueConstraint(name="course_of_client", fields=["client", "id"])]

    def __str__(self) -> str:
        return in_locale(self.title, "en") or self.id


class CourseVersion(models.Model):
    """One published state of a course, under a number. It never changes; what is played of it is its PlayPackage."""

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_version_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    course = models.ForeignKey(
        Course, on_delete=models.PROTECT, related_name="versions", db_index=False, verbose_name=_("course")
    )
    number = models.PositiveIntegerField(_("version"))
    created_at = models.DateTimeField(_("published at"))
    created_by = models.CharField(_("published by"), max_length=150, blank=True)

    objects = CourseVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("course version")
        verbose_name_plural = _("course versions")
        ordering = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="course_version_of_client", fields=["client", "id"]),
            models.UniqueConstraint(name="course_version_number_unique", fields=["client", "course", "number"]),
            models.CheckConstraint(name="course_version_number_positive", condition=Q(number__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.course_id} {self.number}"


class PlayPackage(models.Model):
    """The manifest of one course version, whole and as it was validated (manifest.py). It never changes."""

    version = models.OneToOneField(
        CourseVersion, primary_key=True, on_delete=models.PROTECT, related_name="package", verbose_name=_("version")
    )
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    manifest = models.JSONField(_("manifest"))
    created_at = models.DateTimeField(_("created at"))

    objects = TenantQuerySet["PlayPackage"].as_manager()

    class Meta:
        verbose_name = _("play package")
        verbose_name_plural = _("play packages")
        constraints: ClassVar = [models.UniqueConstraint(name="play_package_of_version", fields=["client", "version"])]

    def __str__(self) -> str:
        return self.version_id


class Enrollment(models.Model):
    """One person takes one course version. Revoked, it starts nothing, and its sessions fail within the minute."""

    class Status(models.TextChoices):
        ACTIVE = "active", pgettext_lazy("enrollment", "Active")
        REVOKED = "revoked", pgettext_lazy("enrollment", "Revoked")

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_enrollment_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="enrollments", db_index=False)
    # The uid itself, so that the wire's userId needs no join; a composite foreign key keeps it inside the client.
    user_id = models.CharField(_("user"), max_length=128, db_collation="C")
    user = models.ForeignObject(
        EndUser,
        on_delete=models.PROTECT,
        from_fields=["client", "user_id"],
        to_fields=["client", "uid"],
        related_name="enrollments",
    )
    course_version = models.ForeignKey(
        CourseVersion,
        on_delete=models.PROTECT,
        related_name="enrollments",
        db_index=False,
        verbose_name=_("course version"),
    )
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.ACTIVE)
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=150, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("enrollment")
        verbose_name_plural = _("enrollments")
        ordering = ["-id"]
        indexes: ClassVar = [
            models.Index(name="enrollment_by_user", fields=["client", "user_id", "-id"]),
            models.Index(name="enrollment_by_version", fields=["client", "course_version", "-id"]),
            models.Index(name="enrollment_revoked", fields=["client", "id"], condition=Q(status="revoked")),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(name="enrollment_of_client", fields=["client", "id"]),
            models.CheckConstraint(name="enrollment_status_known", condition=Q(status__in=["active", "revoked"])),
            models.CheckConstraint(
                name="enrollment_revoked_at",
                condition=Q(status="active", revoked_at__isnull=True) | Q(status="revoked", revoked_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.course_version_id}"

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE


class Device(models.Model):
    """One device of one person. Only an administrator makes it trusted."""

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_device_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    user_id = models.CharField(_("user"), max_length=128, db_collation="C")
    user = models.ForeignObject(
        EndUser,
        on_delete=models.PROTECT,
        from_fields=["client", "user_id"],
        to_fields=["client", "uid"],
        related_name="devices",
    )
    name = models.CharField(_("name"), max_length=200)
    trusted = models.BooleanField(_("trusted"), default=False)
    created_at = models.DateTimeField(_("registered at"))

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        ordering = ["-id"]
        indexes: ClassVar = [models.Index(name="device_by_user", fields=["client", "user_id", "-id"])]
        constraints: ClassVar = [models.UniqueConstraint(name="device_of_client", fields=["client", "id"])]

    def __str__(self) -> str:
        return self.name
