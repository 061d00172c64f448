"""Which rows of delivery may somebody see? (004, contract 9)"""

from typing import TYPE_CHECKING, Self, TypeVar

from django.db.models import Exists, Model, OuterRef, QuerySet

from apps.accounts.principal import Principal
from apps.kernel.querysets import TenantQuerySet

if TYPE_CHECKING:
    from apps.delivery.models import (  # noqa: F401 - the row types
        Bundle,
        CourseVersion,
        Device,
        Enrollment,
        PlaySession,
        SyncMutation,
    )

RowT = TypeVar("RowT", bound=Model)


def kept(rows: "QuerySet[RowT]") -> "RowT | None":
    """The one row of these, if there is one: nobody changes it until the transaction ends, and any number keep it so
    (FOR SHARE, which Django has no word for)."""
    sql, parameters = rows.query.sql_with_params()
    found: list[RowT] = list(rows.model._default_manager.raw(f"{sql} FOR SHARE", parameters))
    return found[0] if found else None


class CourseVersionQuerySet(TenantQuerySet["CourseVersion"]):
    def visible_to(self, principal: Principal, client_id: str) -> Self:
        """Administrators: all of the client's. A learner: those that they are enrolled in."""
        rows = self.for_client(client_id)
        if not principal.is_end_user:
            return rows
        enrollments: TenantQuerySet[Model] = TenantQuerySet(self.model.enrollments.rel.related_model)
        theirs = enrollments.filter(client_id=client_id, user_id=principal.subject, status="active")
        return rows.filter(Exists(theirs.filter(course_version=OuterRef("pk"))))


class EnrollmentQuerySet(TenantQuerySet["Enrollment"]):
    def of_user(self, client_id: str, uid: str) -> Self:
        return self.for_client(client_id).filter(user_id=uid)

    def visible_to(self, principal: Principal, client_id: str) -> Self:
        """A learner's own; all of the client's to its administrators."""
        return self.of_user(client_id, principal.subject) if principal.is_end_user else self.for_client(client_id)


class DeviceQuerySet(TenantQuerySet["Device"]):
    def of_user(self, client_id: str, uid: str) -> Self:
        return self.for_client(client_id).filter(user_id=uid)

    def visible_to(self, principal: Principal, client_id: str) -> Self:
        """A learner's own; all of the client's to its administrators."""
        return self.of_user(client_id, principal.subject) if principal.is_end_user else self.for_client(client_id)


class PlaySessionQuerySet(TenantQuerySet["PlaySession"]):
    def of_user(self, client_id: str, uid: str) -> Self:
        return self.for_client(client_id).filter(user_id=uid)

    def visible_to(self, principal: Principal, client_id: str) -> Self:
        """A learner's own; of an administrator those of the client that the request is about.

        That they may act for it was asked before (apps.accounts.access); `queries.py` says the same in SQL.
        """
        if principal.is_end_user:
            return self.of_user(principal.client_id, principal.subject)
        return self.for_client(client_id)

    def live(self) -> Self:
        """Those that may still change their state."""
        return self.filter(ended_at__isnull=True)

    def active(self) -> Self:
        return self.filter(state="active")


class BundleQuerySet(TenantQuerySet["Bundle"]):
    def visible_to(self, principal: Principal, client_id: str) -> Self:
        """Administrators: all of the client's. A learner: those that one of their devices has a licence for."""
        rows = self.for_client(client_id)
        if not principal.is_end_user:
            return rows
        licenses: TenantQuerySet[Model] = TenantQuerySet(self.model.licenses.rel.related_model)
        theirs = licenses.filter(client_id=client_id, device__user_id=principal.subject)
        return rows.filter(Exists(theirs.filter(bundle=OuterRef("pk"))))


class SyncMutationQuerySet(TenantQuerySet["SyncMutation"]):
    def visible_to(self, principal: Principal, client_id: str) -> Self:
        """What a learner's own devices told; all of the client's to its administrators."""
        rows = self.for_client(client_id)
        return rows.filter(user_id=principal.subject) if principal.is_end_user else rows
