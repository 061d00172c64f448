"""`/api/v1/bundles`: a course version to be taken along, and who may (contract 9, 12)."""

from typing import ClassVar

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.permissions import STAFF, allow
from apps.api import conditional
from apps.catalog.views import answers
from apps.delivery.bundling import CONTENT_TYPE
from apps.delivery.models import Bundle
from apps.delivery.serializers import bundles as wire
from apps.delivery.services import bundles as services
from apps.delivery.services import licensing
from apps.delivery.services.devices import DeviceNotFound
from apps.delivery.services.enrollments import CourseVersionNotFound, EnrollmentNotFound
from apps.delivery.services.revoking import BundleNotFound, BundleRevoked, revoke_bundle
from apps.delivery.services.starting import EnrollmentRevoked, PlayPackageNotFound
from apps.delivery.views.asking import DeliveryViewSet
from apps.kernel.clock import now

_FOR_ALL = ("retrieve", "download", "licenses")


class BundleViewSet(DeliveryViewSet):
    """Administrators have them built and revoke them; a learner has those that they have a licence for."""

    lookup_url_kwarg = "bundle_id"
    lookup_value_regex = "[^/]+"
    secret_actions = frozenset({"licenses"})
    refusals: ClassVar = {
        "create": (CourseVersionNotFound, PlayPackageNotFound),
        "retrieve": (BundleNotFound,),
        "download": (BundleNotFound, BundleRevoked, licensing.LicenseExpired, services.BundleNotReady),
        "revoke": (BundleNotFound,),
        "licenses": (
            BundleNotFound,
            BundleRevoked,
            DeviceNotFound,
            licensing.DeviceNotTrusted,
            EnrollmentNotFound,
            EnrollmentRevoked,
        ),
    }

    def get_permissions(self) -> list[BasePermission]:
        return super().get_permissions() if self.action in _FOR_ALL else [allow(*STAFF)()]

    @extend_schema(operation_id="createBundle", request=wire.BundleBody, responses={201: wire.BundleEnvelope})
    def create(self, request: Request) -> Response:
        """Have a course version built as a file. A job does it; `status` says how far it is."""
        body = self.read_body(wire.BundleBody)
        bundle = services.create_bundle(
            client_id=self.client_id,
            course_version_id=body["course_version_id"],
            author=self.principal.subject,
            now=now(),
        )
        return self._show(bundle, 201)

    @extend_schema(operation_id="getBundle", responses=wire.BundleEnvelope)
    def retrieve(self, request: Request, bundle_id: str) -> Response:
        """One bundle."""
        return self._show(self._found(bundle_id))

    @extend_schema(
        operation_id="downloadBundle",
        parameters=answers.PARAMETERS,
        responses={
            (200, CONTENT_TYPE): OpenApiTypes.BINARY,
            (206, CONTENT_TYPE): OpenApiTypes.BINARY,
            **answers.RESPONSES,
        },
    )
    @action(detail=True, methods=["get"])
    def download(self, request: Request, bundle_id: str) -> HttpResponseBase:
        """The file, or a range of it: a download that was cut off can go on."""
        bundle = licensing.find_download(
            principal=self.principal, client_id=self.client_id, bundle_id=bundle_id, now=now()
        )
        response = answers.answer(request, _sendable(bundle))
        response["Cache-Control"] = "private, no-cache, no-transform"
        response["Vary"] = f"{conditional.VARY}, X-Tenant-Id"
        response["Accept-Ranges"] = "bytes"
        return response

    @extend_schema(operation_id="revokeBundle", request=wire.RevokeBundleBody, responses={200: wire.BundleEnvelope})
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, bundle_id: str) -> Response:
        """Nobody mounts, downloads or resumes with it any more."""
        reason = self.optional_body(wire.RevokeBundleBody)["reason"]
        author = self.principal.subject
        revoke_bundle(client_id=self.client_id, bundle_id=bundle_id, reason=reason, author=author, now=now())
        return self._show(self._found(bundle_id))

    @extend_schema(operation_id="issueBundleLicense", request=wire.LicenseBody, responses={201: wire.LicenseEnvelope})
    @action(detail=True, methods=["post"])
    def licenses(self, request: Request, bundle_id: str) -> Response:
        """A licence to play it on one device: for learners, on their own that is trusted, while they are enrolled."""
        body = self.read_body(wire.LicenseBody)
        issued = licensing.issue_license(
            principal=self.principal, client_id=self.client_id, bundle_id=bundle_id, **body, now=now()
        )
        told = {"license_envelope": issued.envelope, "expires_at": issued.license.expires_at}
        return self.envelope(wire.LicenseOut(told).data, 201)

    def answer_refusal(self, error: Exception) -> HttpResponse:
        return answers.with_size(super().answer_refusal(error), error)

    def _found(self, bundle_id: str) -> Bundle:
        return services.find_bundle(principal=self.principal, client_id=self.client_id, bundle_id=bundle_id)

    def _show(self, bundle: Bundle, status: int = 200) -> Response:
        return self.envelope(wire.BundleOut(bundle).data, status)


def _sendable(bundle: Bundle) -> answers.Sendable:
    return answers.Sendable(
        etag=f'"{bundle.checksum}"',
        size=bundle.size or 0,
        content_type=CONTENT_TYPE,
        disposition=f'attachment; filename="{bundle.pk}.zip"',
        open_at=lambda start, length: services.open_at(bundle, start, length),
    )
