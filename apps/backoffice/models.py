"""What the back office itself remembers."""

from django.db import models
from django.db.models.functions import Now


class SubmittedForm(models.Model):
    """One form that was saved: the primary key lets exactly one of two equal submissions through."""

    id = models.CharField(primary_key=True, max_length=64, db_collation="C")
    submitted_at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return self.id
