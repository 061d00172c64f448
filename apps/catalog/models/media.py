"""Files that we keep for a client: pictures, subtitles (contract 4, media)."""

from typing import ClassVar

from django.db import models

from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client


class MediaFile(models.Model):
    """What `/api/media/<path>` answers now. The bytes under `key` in the storage never change; a new content is a new
    key, so that whoever is being sent the old one gets it whole.

    `path` begins with the id of the client that owns it: `demo/subtitles/…/en.vtt`.
    """

    path = models.CharField(primary_key=True, max_length=300, db_collation="C")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=300, db_collation="C", unique=True)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(help_text="bytes")
    sha256 = models.CharField(max_length=64, help_text="of the bytes, hexadecimal: the ETag")
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()

    objects = TenantQuerySet["MediaFile"].as_manager()

    class Meta:
        constraints: ClassVar = [
            # Row-level security looks at `client`, an address shows `path`: they must say the same.
            models.CheckConstraint(
                name="media_file_path_of_client",
                condition=models.Q(path__startswith=models.functions.Concat(models.F("client_id"), models.Value("/"))),
            ),
        ]

    def __str__(self) -> str:
        return self.path
