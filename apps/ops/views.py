"""Does this process live, and can it serve? Asked by `up`, by balancers and by people; no credentials."""

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.ops import health

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
