"""What does the OpenAPI document say that the views do not? Refusals, headers, the two documents (contract 9)."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from apps.api import dialect
from apps.api.dialect import SAFE_METHODS
from apps.api.viewset import ApiViewSet

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string"},
        "code": {"type": "string"},
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "message"],
                "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code", "requestId", "traceId"],
    "properties": {
        **{
            name: {"type": "string"} for name in ("type", "title", "detail", "instance", "code", "requestId", "traceId")
        },
        "status": {"type": "integer"},
        "errors": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
    },
}
_MEANINGS = {
    "400": "The request is malformed or breaks a rule of its shape",
    "401": "No valid credentials",
    "403": "The caller may not do this",
    "404": "It does not exist, or not for this caller",
    "409": "It cannot be done in the present state, or the idempotency key is in use",
    "413": "The body is over the limit",
    "415": "The media type is not supported",
    "429": "A limit was reached; see Retry-After",
    "500": "An unexpected failure",
    "503": "A part of the service does not answer; see Retry-After",
}


class GofaSchema(AutoSchema):
    """Adds to every operation of ours the keyed-write header and the refusals that any route of its kind can answer.

    A view names what it answers beyond those by `extend_schema`; its own description of a status wins.
    """

    def get_override_parameters(self) -> list[Any]:
        if self.method in SAFE_METHODS or not isinstance(self.view, ApiViewSet):
            return []
        text = "A retry with the same key and body gets the first answer again, for 24 hours."
        return [OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, description=text)]

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*args, **kwargs)
        if operation is None or not isinstance(self.view, ApiViewSet):
            return operation
        responses = operation["responses"]
        for status in self._usual_refusals(operation):
            responses.setdefault(status, self._refusal(status))
        operation["responses"] = dict(sorted(responses.items()))
        return operation

    def _usual_refusals(self, operation: dict[str, Any]) -> list[str]:
        found = ["500", "503"]
        if self.view.get_authenticators():
            found.append("401")
        if self.view.get_permissions():
            found.append("403")
        if getattr(self.view, "limits", ()):
            found.append("429")
        found += [str(status) for status in getattr(self.view, "also_refuses", ())]
        if "{" in self.path:
            found.append("404")
        if operation.get("parameters") or "requestBody" in operation:
            found.append("400")
        if "requestBody" in operation:
            found += ["413", "415"]
        if self.method not in SAFE_METHODS:
            found.append("409")
        return found

    def _refusal(self, status: str) -> dict[str, Any]:
        platform = dialect.is_platform(self.path)
        name, media_type = ("Problem", "application/problem+json") if platform else ("Error", "application/json")
        schema = {"$ref": f"#/components/schemas/{name}"}
        return {"description": _MEANINGS[status], "content": {media_type: {"schema": schema}}}


def finish(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Spectacular's last hook: the two error shapes, once."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Error"], schemas["Problem"] = _ERROR, _PROBLEM
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    return result


def only_platform(endpoints: list[Any]) -> list[Any]:
    """Preprocessing hook of `/api/v1/openapi.json`."""
    return [endpoint for endpoint in endpoints if dialect.is_platform(endpoint[0])]
