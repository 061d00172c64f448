"""`/api/v1/play-sessions/{id}/mount-offline` and `…/unmount-offline` (004 3.9 and 3.10, contract 9)."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.principal import Role
from apps.api.limits import RateLimited
from apps.api.problem import expected_version
from apps.delivery.serializers import bundles as wire
from apps.delivery.services import licensing, mounting
from apps.delivery.services.revoking import BundleNotFound, BundleRevoked
from apps.delivery.services.sessions import InvalidState, NotOwner, SessionNotFound, VersionConflict
from apps.delivery.views.asking import DeliveryViewSet
from apps.delivery.views.sessions import IF_MATCH
from apps.kernel.clock import now

_SESSION = (SessionNotFound, NotOwner, VersionConflict)


class MountViewSet(DeliveryViewSet):
    """What a learner's device plays without a network, in one of their sessions."""

    roles = (Role.END_USER,)
    refusals: ClassVar = {
        "mount": (
            *_SESSION,
            InvalidState,
            licensing.DeviceNotTrusted,
            RateLimited,
            BundleNotFound,
            BundleRevoked,
            licensing.LicenseInvalid,
            licensing.LicenseExpired,
            mounting.AlreadyMounted,
            mounting.IntegrityFailed,
        ),
        "unmount": (*_SESSION, mounting.MountNotFound, mounting.NotMounted),
    }

    @extend_schema(
        operation_id="mountOfflineBundle",
        parameters=[IF_MATCH],
        request=wire.MountBody,
        responses={201: wire.MountEnvelope},
    )
    @action(detail=False, methods=["post"], url_path="mount-offline")
    def mount(self, request: Request, play_session_id: str) -> Response:
        """The session's device plays the bundle from now on: by a good licence, and if its bytes are right."""
        body = self.read_body(wire.MountBody)
        done = mounting.mount_bundle(
            principal=self.principal,
            client_id=self.client_id,
            session_id=play_session_id,
            bundle_id=body["bundle_id"],
            envelope=body["license_envelope"],
            checksum=body["bundle_checksum"],
            expected_version=expected_version(request.META.get("HTTP_IF_MATCH")),
            now=now(),
        )
        return self._answer(wire.MountOut(done).data, done.session.version, 201)

    @extend_schema(
        operation_id="unmountOfflineBundle",
        parameters=[IF_MATCH],
        request=wire.UnmountBody,
        responses={200: wire.UnmountEnvelope},
    )
    @action(detail=False, methods=["post"], url_path="unmount-offline")
    def unmount(self, request: Request, play_session_id: str) -> Response:
        """The device has done with the bundle, which can be mounted there again."""
        body = self.read_body(wire.UnmountBody)
        done = mounting.unmount_bundle(
            principal=self.principal,
            client_id=self.client_id,
            session_id=play_session_id,
            **body,
            expected_version=expected_version(request.META.get("HTTP_IF_MATCH")),
            now=now(),
        )
        return self._answer(wire.UnmountOut(done).data, done.session.version, 200)

    def _answer(self, data: object, version: int, status: int) -> Response:
        response = self.envelope(data, status)
        response["ETag"] = f'"{version}"'
        return response
