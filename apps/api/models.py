"""What the HTTP layer remembers: the first answer to a keyed write."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from apps.tenants.models import Client


class StoredResponse(models.Model):
    """The answer that a retry of one keyed write gets again, byte for byte, for 24 hours.

    `scope` is a digest of tenant, principal, method, path and key. Times are the database's, so that a web server's
    clock cannot make a key be forgotten early. A body that holds a secret is sealed.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    scope = models.CharField(max_length=64, db_collation="C")
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    is_sealed = models.BooleanField(db_default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="stored_response_scope_unique", fields=["client", "scope"])
        ]
        indexes: ClassVar = [models.Index(name="stored_response_age", fields=["created_at"])]
