"""Where did each credit come from, and where did it go?"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.billing.models.policy import EventType
from apps.kernel.ids import new_id
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client


def new_entry_id() -> str:
    return new_id("led_")


def new_lot_id() -> str:
    return new_id("grant_")


class CreditAccount(models.Model):
    """What one client has: the one row that billable calls of a client wait for each other at.

    `credits` is the sum of the ledger and `entries` the sequence of its last entry; triggers hold the three together,
    and `credits` at or above the floor that the policy sets. `received` is what came in less what expired.
    """

    client = models.OneToOneField(Client, on_delete=models.PROTECT, primary_key=True, related_name="+")
    credits = models.BigIntegerField(default=0)
    entries = models.BigIntegerField(default=0)
    received = models.BigIntegerField(default=0)

    objects = TenantQuerySet["CreditAccount"].as_manager()

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("usage and balances")

    def __str__(self) -> str:
        return self.client_id


class LedgerEntry(models.Model):
    """`amount` credits went from one account of a client to another: both sides of a double entry. Append-only.

    `credits` is the same as the client sees it, and `balance_after` what the client then had.
    """

    class Kind(models.TextChoices):
        GRANT = "grant", _("Grant")
        DEBIT = "debit", _("Debit")
        REVERSAL = "reversal", _("Reversal")
        EXPIRY = "expiry", _("Expiry")

    class Account(models.TextChoices):
        ISSUED = "issued", _("Issued by the platform")
        BALANCE = "balance", _("The client's balance")
        SPENT = "spent", _("Spent")
        EXPIRED = "expired", _("Expired")

    id = models.CharField(primary_key=True, max_length=30, db_collation="C", default=new_entry_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    sequence = models.BigIntegerField()
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    from_account = models.CharField(_("from"), max_length=16, choices=Account.choices)
    to_account = models.CharField(_("to"), max_length=16, choices=Account.choices)
    amount = models.BigIntegerField(_("amount"))
    credits = models.GeneratedField(
        expression=models.Case(
            models.When(to_account="balance", then=F("amount")),
            default=-F("amount"),
            output_field=models.BigIntegerField(),
        ),
        output_field=models.BigIntegerField(),
        db_persist=True,
        verbose_name=_("credits"),
    )
    balance_after = models.BigIntegerField(_("balance after"))
    event_type = models.CharField(_("event"), max_length=40, choices=EventType.choices, blank=True)
    activity_id = models.CharField(_("activity"), max_length=64, db_collation="C", blank=True)
    request_id = models.CharField(_("request"), max_length=40, db_collation="C", blank=True)
    reverses = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="reversal", verbose_name=_("reverses")
    )
    note = models.CharField(_("note"), max_length=500, blank=True, help_text=_("Why, or by which reference"))
    author = models.CharField(_("by"), max_length=150, blank=True)
    created_at = models.DateTimeField(_("time"))

    objects = TenantQuerySet["LedgerEntry"].as_manager()

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger")
        constraints: ClassVar = [
            models.UniqueConstraint(name="ledger_entry_sequence_unique", fields=["client", "sequence"]),
            models.CheckConstraint(name="ledger_entry_amount_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="ledger_entry_accounts_of_kind",
                condition=Q(kind="grant", from_account="issued", to_account="balance")
                | Q(kind="debit", from_account="balance", to_account="spent")
                | Q(kind="reversal", from_account="spent", to_account="balance", reverses__isnull=False)
                | Q(kind="expiry", from_account="balance", to_account="expired"),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="ledger_entry_by_time", fields=["client", "created_at"]),
            # No debit is in it, and so it costs a debit nothing.
            models.Index(name="ledger_entry_grants", fields=["client", "-sequence"], condition=Q(kind="grant")),
        ]

    def __str__(self) -> str:
        return self.id


class CreditLot(models.Model):
    """Credits that came in together, by a grant (which has a reference) or a reversal, and what is left of them.

    The remainders of a client's lots add up to its credits, or to nothing while it owes.
    """

    id = models.CharField(primary_key=True, max_length=32, db_collation="C", default=new_lot_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    entry = models.OneToOneField(LedgerEntry, on_delete=models.PROTECT, related_name="lot")
    reference = models.CharField(_("reference"), max_length=200, null=True)  # noqa: DJ001 - unique where it is given
    credits = models.BigIntegerField(_("credits"))
    remaining = models.BigIntegerField(_("left"))
    is_open = models.BooleanField(default=True, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True)
    created_at = models.DateTimeField(_("time"))

    objects = TenantQuerySet["CreditLot"].as_manager()

    class Meta:
        verbose_name = _("credit grant")
        constraints: ClassVar = [
            models.UniqueConstraint(name="credit_lot_reference_unique", fields=["client", "reference"]),
            models.CheckConstraint(
                name="credit_lot_remaining_in_range", condition=Q(remaining__gte=0, remaining__lte=F("credits"))
            ),
            models.CheckConstraint(
                name="credit_lot_open_while_some_remain",
                condition=Q(is_open=True, remaining__gt=0) | Q(is_open=False, remaining=0),
            ),
        ]
        indexes: ClassVar = [
            # Conditioned on a column that a debit seldom changes, so that debits stay cheap.
            models.Index(name="credit_lot_open", fields=["client", "expires_at", "id"], condition=Q(is_open=True)),
            # Not led by the client: the expiry works for all of them at once.
            models.Index(name="credit_lot_expiring", fields=["expires_at"], condition=Q(is_open=True)),
        ]

    def __str__(self) -> str:
        return self.reference or self.id
