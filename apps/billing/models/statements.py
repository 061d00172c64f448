"""What is a client told of its account?"""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.kernel.ids import new_id
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client


def new_statement_id() -> str:
    return new_id("stm_")


class Statement(models.Model):
    """One month of one client, over and added up: `events` is `{eventType: {"events": n, "credits": n}}`."""

    id = models.CharField(primary_key=True, max_length=30, db_collation="C", default=new_statement_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    period = models.DateField(_("month"), help_text=_("Its first day"))
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    opening_balance = models.BigIntegerField(_("opening balance"))
    granted = models.BigIntegerField(_("granted"))
    spent = models.BigIntegerField(_("spent"))
    reversed = models.BigIntegerField(_("reversed"))
    expired = models.BigIntegerField(_("expired"))
    closing_balance = models.BigIntegerField(_("closing balance"))
    events = models.JSONField(_("events"), default=dict)
    entries = models.BigIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="of the ledger when it was made: whatever comes later is in the next one",
    )
    created_at = models.DateTimeField(_("made"))

    objects = TenantQuerySet["Statement"].as_manager()

    class Meta:
        verbose_name = _("statement")
        constraints: ClassVar = [
            models.UniqueConstraint(name="statement_period_unique", fields=["client", "period"]),
            models.CheckConstraint(
                name="statement_adds_up",
                condition=models.Q(
                    closing_balance=models.F("opening_balance")
                    + models.F("granted")
                    + models.F("reversed")
                    - models.F("spent")
                    - models.F("expired")
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.period:%Y-%m}"


class SpendingWarning(models.Model):
    """A client was told that a limit is near or reached: once for each threshold of each round.

    `scope` is an event type, whose rounds are months, or `balance`, whose rounds begin with a grant.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    scope = models.CharField(_("of what"), max_length=40)
    round = models.CharField(max_length=40, db_collation="C")
    threshold = models.PositiveSmallIntegerField(_("percent"))
    used = models.BigIntegerField(_("used"))
    limit = models.BigIntegerField(_("limit"))
    created_at = models.DateTimeField(_("time"))

    objects = TenantQuerySet["SpendingWarning"].as_manager()

    class Meta:
        verbose_name = _("warning")
        constraints: ClassVar = [
            models.UniqueConstraint(name="warning_once", fields=["client", "scope", "round", "threshold"]),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.scope} {self.threshold} %"
