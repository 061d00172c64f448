"""Which lessons may somebody see? (contract 4)"""

from typing import TYPE_CHECKING, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, Model, OuterRef, Q, Subquery, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Collate, JSONObject

from apps.accounts.principal import Principal
from apps.catalog import search
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import LIBRARY_CLIENT_ID

if TYPE_CHECKING:
    from apps.catalog.models import Lesson, Plan  # noqa: F401 - the row types


class LessonQuerySet(TenantQuerySet["Lesson"]):
    def selectable_by(self, client_id: str) -> Self:
        """The client's own lessons, and those of the library that are offered."""
        return self.filter(Q(client_id=client_id) | Q(client_id=LIBRARY_CLIENT_ID, status="active"))

    def playable_by(self, client_id: str) -> Self:
        """The client's own lessons and the library's, whatever has become of them since somebody played them."""
        return self.filter(client_id__in=[client_id, LIBRARY_CLIENT_ID])

    def live_for(self, client_id: str, *, tier: str | None = None) -> Self:
        """What the client has switched on, for one membership tier or for any."""
        # One filter() call, so that all conditions are about the same entry; there is one a client and lesson.
        entry = Q(shelf_entries__client_id=client_id, shelf_entries__is_live=True)
        if tier is not None:
            entry &= Q(shelf_entries__membership_tiers__contains=[tier])
        return self.selectable_by(client_id).filter(entry, status="active")

    def visible_to(self, principal: Principal, client_id: str, tier: str | None) -> Self:
        """Administrators: all that can be selected. Integrations: what is live. End users: that, for their tier."""
        if principal.is_administrator:
            return self.selectable_by(client_id)
        return self.live_for(client_id, tier=(tier or "") if principal.is_end_user else None)

    def matching(self, text: str) -> Self:
        """Those that have each word of `text` in their title, description or a subtitle, in whatever language.

        The last word may still be being typed. What holds no letter and no digit matches nothing.
        """
        words = search.sought(text)
        if not words:
            return self.none()
        texts: TenantQuerySet[Model] = TenantQuerySet(self.model.texts.rel.related_model)
        # By client and lesson: the one index that row-level security leaves to a search.
        of_lesson = texts.filter(client_id=OuterRef("client_id"), lesson_id=OuterRef("pk"))
        return self.filter(*(Exists(of_lesson.filter(word)) for word in words))

    def in_order(self) -> Self:
        """By English title, then id; by code point, so that no server's locale changes it."""
        return self.order_by(Collate(KeyTextTransform("en", "title"), "C"), "id")

    def with_timeline(self) -> Self:
        """Each lesson with its sessions, in the same statement: no change of the catalogue falls between the two."""
        sessions: TenantQuerySet[Model] = TenantQuerySet(self.model.sessions.rel.related_model)
        fields = ("title", "category", "start_seconds", "end_seconds", "rep_pose_id", "target_rep_count")
        row = JSONObject(**{name: name for name in fields})
        rows = sessions.filter(lesson=OuterRef("pk")).order_by("start_seconds").values(row=row)
        return self.annotate(timeline_rows=ArraySubquery(rows))


class PlanQuerySet(TenantQuerySet["Plan"]):
    def live(self) -> Self:
        return self.filter(status="live")

    def visible_to(self, principal: Principal, client_id: str) -> Self:
        """Administrators: all of the client's. Everybody else: what can be started."""
        rows = self.for_client(client_id)
        return rows if principal.is_administrator else rows.live()

    def in_order(self) -> Self:
        """By English title, then id, as the lessons are."""
        return self.order_by(Collate(KeyTextTransform("en", "title"), "C"), "id")

    def with_lesson_ids(self) -> Self:
        """Each plan with `lesson_ids`, the ids of its lessons in order, in the same statement."""
        return self.annotate(lesson_ids=ArraySubquery(self._places().order_by("position").values("lesson_id")))

    def with_totals(self) -> Self:
        """Each plan with `total_lessons`, and `duration`, the seconds that they take together."""
        # Grouped by the one plan, so that there is one row of each.
        places = self._places().order_by().values("plan_id")
        number, seconds = places.annotate(it=Count("*")).values("it"), places.annotate(it=Sum("lesson__duration"))
        return self.annotate(
            total_lessons=Coalesce(Subquery(number), 0), duration=Coalesce(Subquery(seconds.values("it")), 0.0)
        )

    def _places(self) -> TenantQuerySet[Model]:
        places: TenantQuerySet[Model] = TenantQuerySet(self.model.places.rel.related_model)
        return places.filter(plan=OuterRef("pk"))
