"""`/api/v1/enrollments`: who takes which course version (contract 9, 12)."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.permissions import STAFF, allow
from apps.api.cursors import CursorInvalid
from apps.delivery.models import Enrollment
from apps.delivery.serializers.enrollments import (
    EnrollmentBody,
    EnrollmentChangeBody,
    EnrollmentEnvelope,
    EnrollmentOut,
    EnrollmentPage,
    EnrollmentsQuery,
)
from apps.delivery.services import enrollments as services
from apps.delivery.views.asking import DeliveryViewSet
from apps.delivery.views.pages import page
from apps.kernel.clock import now


class EnrollmentViewSet(DeliveryViewSet):
    """Administrators enroll; a learner reads their own."""

    lookup_url_kwarg = "enrollment_id"
    lookup_value_regex = "[^/]+"
    refusals: ClassVar = {
        "list": (CursorInvalid,),
        "create": (services.UserNotFound, services.CourseVersionNotFound),
        "retrieve": (services.EnrollmentNotFound,),
        "partial_update": (services.EnrollmentNotFound,),
    }

    def get_permissions(self) -> list[BasePermission]:
        return super().get_permissions() if self.action in ("list", "retrieve") else [allow(*STAFF)()]

    @extend_schema(operation_id="listEnrollments", parameters=[EnrollmentsQuery], responses=EnrollmentPage)
    def list(self, request: Request) -> Response:
        """The client's enrollments, or a learner's own; newest first."""
        query = self.read_query(EnrollmentsQuery)
        filters = {name: query[name] for name in ("user_id", "course_version_id", "status") if name in query}
        rows = Enrollment.objects.visible_to(self.principal, self.client_id).filter(**filters)
        return page(self, rows, query, lambda enrollment: EnrollmentOut(enrollment).data)

    @extend_schema(operation_id="createEnrollment", request=EnrollmentBody, responses={201: EnrollmentEnvelope})
    def create(self, request: Request) -> Response:
        """Somebody takes a course version."""
        body = self.read_body(EnrollmentBody)
        author = self.principal.subject
        enrollment = services.enroll(client_id=self.client_id, **body, author=author, now=now())
        return self.envelope(EnrollmentOut(enrollment).data, 201)

    @extend_schema(operation_id="getEnrollment", responses=EnrollmentEnvelope)
    def retrieve(self, request: Request, enrollment_id: str) -> Response:
        """One enrollment."""
        rows = Enrollment.objects.visible_to(self.principal, self.client_id)
        enrollment = rows.filter(pk=enrollment_id).first()
        if enrollment is None:
            raise services.EnrollmentNotFound
        return self.envelope(EnrollmentOut(enrollment).data)

    @extend_schema(operation_id="updateEnrollment", request=EnrollmentChangeBody, responses=EnrollmentEnvelope)
    def partial_update(self, request: Request, enrollment_id: str) -> Response:
        """Revoke it, or make it active again. Within the minute the sessions of a revoked one fail."""
        status = Enrollment.Status(self.read_body(EnrollmentChangeBody)["status"])
        enrollment = services.set_enrollment_status(
            client_id=self.client_id, enrollment_id=enrollment_id, status=status, now=now()
        )
        return self.envelope(EnrollmentOut(enrollment).data)
