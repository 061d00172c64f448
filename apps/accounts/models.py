"""Staff, the tokens that have to be remembered, and the key sets that were fetched (contract 1)."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Q

from apps.kernel.ids import new_id
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client


class StaffManager(UserManager["User"]):
    """Django's takes a new user for no member of staff; here there are no others."""

    use_in_migrations = False

    def create_user(self, username: str, email: str | None = None, password: str | None = None, **extra: Any) -> "User":
        return super().create_user(username, email, password, **{"is_staff": True, **extra})

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> "User":
        return super().create_superuser(username, email, password, **{"is_platform": True, **extra})


class User(AbstractUser):
    """One member of staff: platform staff see all clients, the others administer the clients that they are bound to."""

    is_staff = models.BooleanField(default=True)
    is_platform = models.BooleanField("platform staff", default=False)
    clients = models.ManyToManyField(Client, through="Administration", related_name="administrators", blank=True)

    objects: ClassVar[StaffManager] = StaffManager()

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"


class Administration(models.Model):
    """One member of staff administers one client."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="administrations")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="administrations", db_index=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(name="administration_unique", fields=["client", "user"])]

    def __str__(self) -> str:
        return f"{self.user_id} administers {self.client_id}"


def new_token_id() -> str:
    return new_id("rvt_")


class RevokableToken(models.Model):
    """One long-lived credential of an integration, known by its `jti`; the secret itself is not kept."""

    id = models.CharField(primary_key=True, max_length=30, db_collation="C", default=new_token_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="revokable_tokens", db_index=False)
    label = models.CharField(max_length=200)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = TenantQuerySet["RevokableToken"].as_manager()

    class Meta:
        ordering = ["-id"]
        indexes: ClassVar = [models.Index(name="revokable_token_of_client", fields=["client", "-id"])]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="revokable_token_lifetime",
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=models.F("created_at")),
            ),
        ]

    def __str__(self) -> str:
        return self.label


class SpentToken(models.Model):
    """One custom token that was used: the primary key lets exactly one of many callers use it."""

    jti = models.CharField(primary_key=True, max_length=64, db_collation="C")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="+", db_index=False)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.jti


class FetchedKeySet(models.Model):
    """The public keys behind one address, as they were last fetched, for all processes."""

    url = models.CharField(primary_key=True, max_length=500, db_collation="C")
    keys = models.JSONField(default=list)
    fetched_at = models.DateTimeField(null=True)
    fresh_until = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True, help_text="the last fetch, if it failed")
    missed_at = models.DateTimeField(null=True, help_text="when a key was last asked for that a fetch did not bring")

    def __str__(self) -> str:
        return self.url

    def is_fresh(self, now: datetime) -> bool:
        return self.fresh_until is not None and now < self.fresh_until

    def holds(self, kid: str) -> bool:
        return any(entry["kid"] == kid for entry in self.keys)
