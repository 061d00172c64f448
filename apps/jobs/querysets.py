"""Which jobs may be taken, and which did a dead worker leave behind? Times are the database's alone."""

from typing import TYPE_CHECKING, Self

from django.db.models.functions import Now

from apps.kernel.querysets import TenantQuerySet

if TYPE_CHECKING:
    from apps.jobs.models import Job  # noqa: F401 - the row type


class JobQuerySet(TenantQuerySet["Job"]):
    def due(self) -> Self:
        """To be done now, in order. No condition has a parameter: the partial index always fits."""
        return self.filter(next_attempt_at__lte=Now()).order_by("next_attempt_at", "id")

    def lost(self) -> Self:
        """In the hand of a worker that did not say in time that it still lives."""
        return self.filter(claimed_until__lt=Now()).order_by("claimed_until")

    def attempt(self, job_id: str, number: int) -> Self:
        """This job, while this attempt at it is the one that counts."""
        return self.filter(pk=job_id, attempts=number, claimed_until__isnull=False)

    def untouched_by_others(self) -> Self:
        """Lock these rows; leave out what somebody else is just changing."""
        return self.select_for_update(skip_locked=True, of=("self",), no_key=True)
