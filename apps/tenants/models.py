"""Clients and the people who belong to them (contract 1)."""

from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import Q

from apps.kernel.ids import new_id
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.search import EndUserQuerySet, FoldedField

LIBRARY_CLIENT_ID = "gofa"
MODULES = ("ai_training", "delivery")
DEFAULT_TIERS = ("standard", "premium")
CLIENT_ID_PATTERN = r"[a-z][a-z0-9-]{1,39}"


def default_tiers() -> list[str]:
    return list(DEFAULT_TIERS)


class Locale(models.TextChoices):
    ENGLISH = "en", "English"
    TRADITIONAL_CHINESE = "zh-Hant", "繁體中文"
    SIMPLIFIED_CHINESE = "zh-Hans", "简体中文"


class RiskTier(models.TextChoices):
    LOW = "low", "Low"
    MODERATE = "moderate", "Moderate"
    HIGH = "high", "High"


class ClientQuerySet(models.QuerySet["Client"]):
    def active(self) -> Self:
        return self.filter(status=Client.Status.ACTIVE)


class Client(models.Model):
    """One tenant. The one named `gofa` owns the libraries that the others select from."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"

    id = models.CharField(
        primary_key=True, max_length=40, db_collation="C", validators=[RegexValidator(rf"^{CLIENT_ID_PATTERN}\Z")]
    )
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    time_zone = models.CharField(max_length=64, default="UTC")
    default_locale = models.CharField(max_length=10, choices=Locale.choices, default=Locale.ENGLISH)
    membership_tiers = ArrayField(models.CharField(max_length=40), default=default_tiers)
    modules = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    allowed_return_hosts = ArrayField(models.CharField(max_length=260), default=list, blank=True)
    self_registration = models.BooleanField(default=False)
    defer_limit = models.PositiveIntegerField(default=2)
    issuer = models.CharField(max_length=500, blank=True, help_text="iss of this client's own identity provider")
    audience = models.CharField(max_length=500, blank=True, help_text="aud that its tokens carry")
    jwks_url = models.URLField(max_length=500, blank=True, help_text="where its public keys are")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ClientQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(name="client_status_known", condition=Q(status__in=["active", "suspended"])),
            # A token is taken to be of one client by its issuer and audience: two could not be told apart.
            models.UniqueConstraint(
                name="client_identity_unique", fields=["issuer", "audience"], condition=~Q(issuer="")
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Whatever changes a client, in the admin or by the API, is seen by the next request."""
        from apps.tenants import registry

        super().save(*args, **kwargs)
        transaction.on_commit(registry.forget)

    @property
    def first_tier(self) -> str:
        """Where people begin who were given no tier."""
        return self.membership_tiers[0] if self.membership_tiers else DEFAULT_TIERS[0]


def new_user_id() -> str:
    return new_id("usr_")


class EndUser(models.Model):
    """One person of one client, known to the API by `uid`: what the identity provider puts in `sub`."""

    id = models.CharField(primary_key=True, max_length=30, db_collation="C", default=new_user_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="users", db_index=False)
    uid = models.CharField(max_length=128, db_collation="C")
    email = models.EmailField(blank=True)
    display_name = models.CharField(max_length=200, blank=True)
    photo_url = models.URLField(max_length=2000, blank=True)
    membership_tier = models.CharField(max_length=40, default="standard")
    weight_kg = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    locale = models.CharField(max_length=10, choices=Locale.choices, blank=True)
    risk_level = models.CharField(max_length=16, choices=RiskTier.choices, blank=True)
    assessments = models.JSONField(default=dict, blank=True)
    folded_email = FoldedField("email")
    folded = FoldedField("uid", "email", "display_name")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = EndUserQuerySet.as_manager()

    class Meta:
        ordering = ["client_id", "uid"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="end_user_uid_unique", fields=["client", "uid"]),
            models.CheckConstraint(
                name="end_user_weight_positive", condition=Q(weight_kg__isnull=True) | Q(weight_kg__gt=0)
            ),
        ]
        indexes: ClassVar = [models.Index(name="end_user_by_email", fields=["client", "folded_email"])]

    def __str__(self) -> str:
        return self.display_name or self.uid


class EndUserWord(models.Model):
    """What a search for one person may begin with: their folded text from the start of each of its words.

    Written by a trigger from `EndUser.folded`, so that no path of writing can forget it.
    """

    pk = models.CompositePrimaryKey("client_id", "text", "user_id")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="+", db_index=False)
    text = models.CharField(max_length=40, db_collation="C")
    user = models.ForeignKey(EndUser, on_delete=models.CASCADE, related_name="words")

    objects = TenantQuerySet["EndUserWord"].as_manager()

    def __str__(self) -> str:
        return self.text
