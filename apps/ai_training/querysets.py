"""Which exercises, templates, plans and runs may somebody see? (contract 8)"""

from typing import TYPE_CHECKING, Self

from django.db.models import Case, Exists, F, FilteredRelation, Model, OuterRef, Prefetch, Q, When
from django.db.models.functions import Coalesce

from apps.accounts.principal import Principal
from apps.ai_training.states import OPEN_INSTANCE, OPEN_RUN, InstanceStatus, PlanStatus, TemplateStatus, VersionStatus
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import LIBRARY_CLIENT_ID

if TYPE_CHECKING:
    from apps.ai_training.models import (  # noqa: F401 - the row types
        Exercise,
        MoveSession,
        RoutineInstance,
        RoutineRun,
        RoutineTemplate,
        RoutineTemplateVersion,
        TrainingPlan,
    )


class ExerciseQuerySet(TenantQuerySet["Exercise"]):
    def selectable_by(self, client_id: str) -> Self:
        """The client's own, and those of the library whose name it has not taken for one of its own."""
        if client_id == LIBRARY_CLIENT_ID:
            return self.for_client(client_id)
        own: TenantQuerySet[Model] = TenantQuerySet(self.model)
        taken = own.filter(client_id=client_id, exercise_id=OuterRef("exercise_id"))
        return self.filter(Q(client_id=client_id) | (Q(client_id=LIBRARY_CLIENT_ID) & ~Exists(taken)))


class MoveSessionQuerySet(TenantQuerySet["MoveSession"]):
    def visible_to(self, principal: Principal) -> Self:
        """A person's own."""
        return self.filter(client_id=principal.client_id, user_id=principal.subject)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")


class TemplateQuerySet(TenantQuerySet["RoutineTemplate"]):
    def managed_by(self, client_id: str) -> Self:
        """The workspace: the client's own, and what it can choose from the library."""
        return self.filter(Q(client_id=client_id) | self._library())

    def library(self) -> Self:
        """What a client can choose from."""
        return self.filter(self._library())

    def offered_to(self, client_id: str) -> Self:
        """What people of the client can be given: published, and its own or chosen from the library."""
        return self.filter(Q(client_id=client_id) | self._chosen(client_id), status=TemplateStatus.PUBLISHED)

    def with_visibility(self, client_id: str) -> Self:
        """Each with `visible`: it is the client's own, or chosen from the library."""
        visible = Case(When(Q(client_id=client_id) | self._chosen(client_id), then=True), default=False)
        return self.annotate(visible=visible)

    def with_content(self) -> Self:
        """Each with `current`, its draft and its published version, whole: two queries more."""
        versions: VersionQuerySet = VersionQuerySet(self.model.versions.rel.related_model)
        current = versions.exclude(status=VersionStatus.SUPERSEDED).with_steps()
        return self.prefetch_related(Prefetch("versions", queryset=current, to_attr="current"))

    def with_shown(self, client_id: str | None) -> Self:
        """Each with `shown_…`, what its list shows: the draft where the client owns it, else what is published.

        None for whoever sees the drafts of all.
        """
        drafts = Q(versions__status=VersionStatus.DRAFT)
        if client_id is not None:
            drafts &= Q(versions__client=client_id)
        published = Q(versions__status=VersionStatus.PUBLISHED)
        joined = self.alias(
            draft=FilteredRelation("versions", condition=drafts),
            published=FilteredRelation("versions", condition=published),
        )
        columns = ("id", "number", "name", "goal", "intensity", "minutes", "equipment", "risk_tiers")
        shown = {f"shown_{name}": Coalesce(f"draft__{name}", f"published__{name}") for name in columns}
        return joined.annotate(**shown, draft_number=F("draft__number"), published_number=F("published__number"))

    def _chosen(self, client_id: str) -> Q:
        choices: TenantQuerySet[Model] = TenantQuerySet(self.model.shown_by.rel.related_model)
        chosen = choices.filter(client_id=client_id, template=OuterRef("pk"))
        return Q(client_id=LIBRARY_CLIENT_ID) & Q(Exists(chosen))

    def _library(self) -> Q:
        return Q(client_id=LIBRARY_CLIENT_ID, status=TemplateStatus.PUBLISHED)


class VersionQuerySet(TenantQuerySet["RoutineTemplateVersion"]):
    def published(self) -> Self:
        return self.filter(status=VersionStatus.PUBLISHED)

    def with_steps(self) -> Self:
        """Each with `ordered_steps`, its steps in order with their exercises."""
        steps: TenantQuerySet[Model] = TenantQuerySet(self.model.steps.rel.related_model)
        ordered = steps.select_related("exercise").order_by("sequence")
        return self.prefetch_related(Prefetch("steps", queryset=ordered, to_attr="ordered_steps"))


class TrainingPlanQuerySet(TenantQuerySet["TrainingPlan"]):
    def of_user(self, client_id: str, uid: str) -> Self:
        return self.filter(client_id=client_id, user_id=uid)

    def active(self) -> Self:
        return self.filter(status=PlanStatus.ACTIVE)


class InstanceQuerySet(TenantQuerySet["RoutineInstance"]):
    def of_user(self, client_id: str, uid: str) -> Self:
        return self.filter(client_id=client_id, user_id=uid)

    def visible_to(self, principal: Principal) -> Self:
        """A person's own."""
        return self.of_user(principal.client_id, principal.subject)

    def open(self) -> Self:
        return self.filter(status__in=OPEN_INSTANCE)

    def queued(self) -> Self:
        return self.filter(status=InstanceStatus.QUEUED)

    def in_order(self) -> Self:
        return self.order_by("queue_position")


class RunQuerySet(TenantQuerySet["RoutineRun"]):
    def of_user(self, client_id: str, uid: str) -> Self:
        return self.filter(client_id=client_id, user_id=uid)

    def visible_to(self, principal: Principal) -> Self:
        """A person's own."""
        return self.of_user(principal.client_id, principal.subject)

    def open(self) -> Self:
        return self.filter(status__in=OPEN_RUN)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")

    def whole(self) -> Self:
        """Each with its person, its instance and version, and `ordered_steps` with their exercises: one query more."""
        steps: TenantQuerySet[Model] = TenantQuerySet(self.model.steps.rel.related_model)
        ordered = steps.select_related("step__exercise", "session").order_by("sequence")
        return self.select_related("user", "instance__version").prefetch_related(
            Prefetch("steps", queryset=ordered, to_attr="ordered_steps")
        )
