"""What has a client used?"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.billing.models.ledger import LedgerEntry
from apps.billing.models.policy import EventType
from apps.kernel.ids import new_id
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client


def new_usage_id() -> str:
    return new_id("use_")


class UsageEvent(models.Model):
    """One billable thing that happened, once: `key` is unique within its client. Append-only."""

    id = models.CharField(primary_key=True, max_length=30, db_collation="C", default=new_usage_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=120, db_collation="C")
    event_type = models.CharField(_("event"), max_length=40, choices=EventType.choices)
    activity_id = models.CharField(_("activity"), max_length=64, db_collation="C")
    request_id = models.CharField(_("request"), max_length=40, db_collation="C", blank=True)
    period = models.DateField(_("month"), help_text=_("Its first day"))
    price = models.BigIntegerField(_("price"))
    entry = models.OneToOneField(LedgerEntry, on_delete=models.PROTECT, null=True, related_name="usage")
    created_at = models.DateTimeField(_("time"))

    objects = TenantQuerySet["UsageEvent"].as_manager()

    class Meta:
        verbose_name = _("usage event")
        constraints: ClassVar = [
            models.UniqueConstraint(name="usage_event_key_unique", fields=["client", "key"]),
            models.CheckConstraint(
                name="usage_event_priced_has_entry",
                condition=Q(price=0, entry__isnull=True) | Q(price__gt=0, entry__isnull=False),
            ),
        ]
        indexes: ClassVar = [models.Index(name="usage_event_by_time", fields=["client", "created_at"])]

    def __str__(self) -> str:
        return self.key


class UsageCounter(models.Model):
    """How many events of a type a client had in a month: the sum of the shards.

    With a quota the count and the check are one, under the account's lock, and go to shard 0; without one nobody has to
    wait for anybody, so that the calls of a busy client are spread over several rows.
    """

    pk = models.CompositePrimaryKey("client_id", "period", "event_type", "shard")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    period = models.DateField()
    event_type = models.CharField(max_length=40, choices=EventType.choices)
    shard = models.PositiveSmallIntegerField()
    used = models.BigIntegerField()

    objects = TenantQuerySet["UsageCounter"].as_manager()

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(name="usage_counter_positive", condition=Q(used__gt=0))]

    def __str__(self) -> str:
        return f"{self.client_id} {self.period:%Y-%m} {self.event_type}"


class UsageDay(models.Model):
    """The events of one type on one local day of a client, added up: written again until the day is over for good."""

    pk = models.CompositePrimaryKey("client_id", "day", "event_type")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField(_("day"))
    event_type = models.CharField(_("event"), max_length=40, choices=EventType.choices)
    events = models.BigIntegerField(_("events"))
    credits = models.BigIntegerField(_("credits"))

    objects = TenantQuerySet["UsageDay"].as_manager()

    class Meta:
        verbose_name = _("usage of a day")
        verbose_name_plural = _("usage by day")

    def __str__(self) -> str:
        return f"{self.client_id} {self.day} {self.event_type}"


class MeteredDay(models.Model):
    """How often a client called an endpoint that is counted and never refused, on one of its local days."""

    pk = models.CompositePrimaryKey("client_id", "day", "endpoint")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField(_("day"))
    endpoint = models.CharField(_("endpoint"), max_length=120, db_collation="C")
    calls = models.BigIntegerField(_("calls"))

    objects = TenantQuerySet["MeteredDay"].as_manager()

    class Meta:
        verbose_name = _("metered calls of a day")
        verbose_name_plural = _("metered calls by day")

    def __str__(self) -> str:
        return f"{self.client_id} {self.day} {self.endpoint}"


class MeteredFold(models.Model):
    """One batch of counts was folded: written with what it added, so that a repeat adds nothing."""

    id = models.CharField(primary_key=True, max_length=40, db_collation="C")
    folded_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.id
