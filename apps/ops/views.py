"""Does this process live, can it serve, and what does it count? Asked by `up`, by balancers and by monitors."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.generic import View
from drf_spectacular.utils import extend_schema, inline_serializer
from prometheus_client import CONTENT_TYPE_LATEST
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.ops import health, metrics

_Live = inline_serializer("Live", {"status": serializers.ChoiceField(["ok"])})
_Ready = inline_serializer(
    "Ready",
    {
        "status": serializers.ChoiceField(["ok", "unavailable"]),
        "parts": inline_serializer(
            "ReadyParts", {name: serializers.ChoiceField(["ok", "missing"]) for name in health.PARTS}
        ),
    },
)


class OpenView(APIView):
    """Anybody may ask; a credential that came along is not looked at."""

    authentication_classes = ()
    permission_classes = ()

    def finalize_response(self, request: Request, response: Response, *args: object, **kwargs: object) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Cache-Control"] = "no-store"
        return answer


class LiveView(OpenView):
    @extend_schema(operation_id="healthLive", tags=["health"], auth=[], responses=_Live)
    def get(self, request: Request) -> Response:
        """The process answers. Touches nothing else, so that a sick database never has it killed."""
        return Response({"status": "ok"})


class ReadyView(OpenView):
    @extend_schema(operation_id="healthReady", tags=["health"], auth=[], responses={200: _Ready, 503: _Ready})
    def get(self, request: Request) -> Response:
        """Every part that a request needs, by name; 503 while one is missing."""
        missing = health.missing_parts()
        parts = {name: "missing" if name in missing else "ok" for name in health.PARTS}
        answer = Response({"status": "unavailable" if missing else "ok", "parts": parts})
        if missing:
            answer.status_code = 503
            answer["Retry-After"] = "5"
        return answer


class MetricsView(View):
    """What is counted here, for a monitor that knows METRICS_TOKEN; for anybody else there is no such page."""

    def get(self, request: HttpRequest) -> HttpResponse:
        token, told = settings.METRICS_TOKEN, request.headers.get("Authorization", "")
        if not token or not constant_time_compare(told, f"Bearer {token}"):
            return HttpResponse(status=404)
        return HttpResponse(
            metrics.exposition(), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"}
        )
