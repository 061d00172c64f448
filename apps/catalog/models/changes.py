"""Changes of many lessons at once, which can be taken back (contract 11)."""

from typing import ClassVar

from django.db import models

from apps.kernel.ids import new_id
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client


def new_change_id() -> str:
    return new_id("chg_")


class CatalogChange(models.Model):
    """One change of a client's shelf by its administrators: what was there before, and what after.

    `before` and `after` are `{"shelf": {lessonId: {"is_live", "membership_tiers"} | null}, "plans": {planId: status}}`
    and name only what changed; null stands for a lesson that had no entry.
    """

    id = models.CharField(primary_key=True, max_length=30, db_collation="C", default=new_change_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    before = models.JSONField()
    after = models.JSONField()
    author = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    undone_by = models.CharField(max_length=150, blank=True)
    undone_at = models.DateTimeField(null=True)

    objects = TenantQuerySet["CatalogChange"].as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(name="catalog_change_newest", fields=["client", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M} {self.author}"
