"""Two small resources, one a dialect, for what every route has in common."""

import threading
from typing import Any

from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from apps.accounts.permissions import STAFF, allow
from apps.accounts.principal import Role
from apps.api import wire
from apps.api.gofa import GofaViewSet
from apps.api.limits import Limit
from apps.api.problem import PlatformViewSet, expected_version
from apps.kernel.clock import now
from apps.kernel.refusals import BadRequest, Conflict, Unprocessable
from apps.tenants.models import EndUser
from gofa.urls import handler400, handler404, handler500

__all__ = ["handler400", "handler404", "handler500"]

# What a test can hold a write at, to have two of them at once.
hold = threading.Event()
entered = threading.Event()


class VersionConflict(Conflict):
    code = "session.version_conflict"


class NoteBody(wire.WireSerializer):
    text = wire.Text(max_length=100)
    at = wire.Instant(required=False)
    count = wire.Whole(required=False)
    share = wire.Number(required=False, min_value=0, max_value=1)
    is_open = wire.Flag(required=False)
    title = wire.LocalizedField(required=False, spelling="underscore")


class NoteViewSet(GofaViewSet):
    """Writes a person for each note, so that a test can count effects."""

    permission_classes = (allow(Role.END_USER, *STAFF),)

    def list(self, request: Request) -> Response:
        return Response(self.paged(EndUser.objects.for_client(self.client_id).order_by("uid"), lambda row: row.uid))

    def create(self, request: Request) -> Response:
        body = self.read_body(NoteBody)
        entered.set()
        if body["text"] == "wait":
            hold.wait(10)
        EndUser.objects.create(client_id=self.client_id, uid=f"note-{body['text']}-{now().timestamp()}")
        if body["text"] == "conflict":
            raise Conflict("In the way")
        if body["text"] == "refuse":
            raise BadRequest("No such thing")
        if body["text"] == "burst":
            raise RuntimeError("a secret of the inside")
        body["title"] = body.get("title", {})
        return Response({"text": body["text"], "count": body.get("count")}, status=201)


class LimitedViewSet(GofaViewSet):
    permission_classes = (allow(Role.END_USER),)
    limits = (Limit("twice", 2, 60),)

    def list(self, request: Request) -> Response:
        return Response({})


class ThingViewSet(PlatformViewSet):
    permission_classes = (allow(Role.END_USER),)

    def list(self, request: Request) -> Response:
        return self.envelope([1], page={"size": 1, "cursor": None, "nextCursor": None})

    def create(self, request: Request) -> Response:
        body = self.read_body(NoteBody)
        if body["text"] == "meaningless":
            raise Unprocessable("It makes no sense", code="thing.meaningless")
        return self.envelope({"text": body["text"]}, status=201)

    def partial_update(self, request: Request, pk: str) -> Response:
        if expected_version(request.headers.get("If-Match")) not in (None, 3):
            raise VersionConflict("The version is 3")
        return self.envelope({"version": 4})


gofa: Any = SimpleRouter(trailing_slash=False)
gofa.register("notes", NoteViewSet, basename="note")
gofa.register("limited", LimitedViewSet, basename="limited")
platform: Any = SimpleRouter(trailing_slash=False)
platform.register("things", ThingViewSet, basename="thing")

urlpatterns = [path("api/v1/", include(platform.urls)), path("api/", include(gofa.urls))]
