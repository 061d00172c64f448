"""What has been agreed with a client?"""

from typing import ClassVar

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.kernel.ids import new_id
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client


class EventType(models.TextChoices):
    """What can be billed (contract 7)."""

    LESSON_PLAY_CREATED = "lesson_play.created", _("Lesson begun")
    PLAN_PLAY_CREATED = "plan_play.created", _("Plan begun")
    PLAN_PLAY_COMPLETED = "plan_play.completed", _("Plan completed")
    ROUTINE_RUN_CREATED = "routine_run.created", _("Routine begun")


def new_revision_id() -> str:
    return new_id("pol_")


class PolicyTerms(models.Model):
    """Null, or an event type that is not named, means unlimited, or free."""

    rate_per_minute = models.PositiveIntegerField(_("calls per minute"), null=True, blank=True)
    burst = models.PositiveIntegerField(
        _("calls at once"), null=True, blank=True, help_text=_("As many as per minute, where nothing is given.")
    )
    quotas = models.JSONField(_("quotas a month"), default=dict, blank=True)
    prices = models.JSONField(_("prices in credits"), default=dict, blank=True)
    allow_negative = models.BooleanField(_("may owe credits"), default=False)

    class Meta:
        abstract = True


class CommercialPolicy(PolicyTerms):
    """The terms of one client as they are now. Read by `billing_charge` under the account's lock."""

    client = models.OneToOneField(Client, on_delete=models.PROTECT, primary_key=True, related_name="+")
    revision = models.PositiveIntegerField(default=0, editable=False)
    rate_revision = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="when the rate was agreed: each has a bucket, full at first"
    )
    updated_at = models.DateTimeField(editable=False)

    objects = TenantQuerySet["CommercialPolicy"].as_manager()

    class Meta:
        verbose_name = _("commercial policy")
        verbose_name_plural = _("commercial policies")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="policy_rate_positive",
                condition=(Q(rate_per_minute__isnull=True) | Q(rate_per_minute__gt=0))
                & (Q(burst__isnull=True) | Q(burst__gt=0)),
            ),
        ]

    def __str__(self) -> str:
        return self.client_id

    def save(self, *args: object, **kwargs: object) -> None:
        """Whatever changes the terms, the next call is limited by them."""
        from apps.billing import terms

        super().save(*args, **kwargs)  # type: ignore[arg-type]
        transaction.on_commit(terms.forget)


class PolicyRevision(PolicyTerms):
    """What the terms of a client were from `created_at` on, and who set them. Append-only."""

    id = models.CharField(primary_key=True, max_length=30, db_collation="C", default=new_revision_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    revision = models.PositiveIntegerField()
    author = models.CharField(_("set by"), max_length=150)
    created_at = models.DateTimeField(_("from"))

    objects = TenantQuerySet["PolicyRevision"].as_manager()

    class Meta:
        verbose_name = _("former policy")
        verbose_name_plural = _("former policies")
        constraints: ClassVar = [
            models.UniqueConstraint(name="policy_revision_unique", fields=["client", "revision"]),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.revision}"
