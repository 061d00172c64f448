"""What does the OpenAPI document say that the views do not? Refusals, headers, the two documents (contract 9)."""

from collections import defaultdict
from typing import Any

from drf_spectacular import plumbing
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework.views import APIView

from apps.api import dialect, idempotency
from apps.api.dialect import SAFE_METHODS
from apps.api.problem import PlatformViewSet
from apps.api.viewset import ApiViewSet
from apps.api.wire import WireSerializer
from apps.kernel.refusals import BadRequest, Refusal

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
_PROBLEM_SHAPE = {
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
    "422": "The shape is right, and the meaning is not",
    "415": "The media type is not supported",
    "429": "A limit was reached; see Retry-After",
    "500": "An unexpected failure",
    "503": "A part of the service does not answer; see Retry-After",
}

# Of the general refusals; a domain's own may have another title for the same status.
_GENERAL = (BadRequest.__module__, dialect.__name__)
_TITLES = {each.status: each.title for each in (BadRequest, *Refusal.__subclasses__()) if each.__module__ in _GENERAL}
PROBLEM_JSON = "application/problem+json"
# Untyped.
_plumbing: Any = plumbing


class GofaSchema(AutoSchema):
    """Adds to every operation of ours the keyed-write header and the refusals that any route of its kind can answer.

    A view names what it answers beyond those by `extend_schema`; its own description of a status wins.
    """

    def get_override_parameters(self) -> list[Any]:
        if not isinstance(self.view, ApiViewSet):
            return []
        named = list(self.view.header_parameters) if isinstance(self.view, PlatformViewSet) else []
        if not self._writes(self.view):
            return named
        text = "A retry with the same key and body gets the first answer again, for 24 hours."
        if isinstance(self.view, PlatformViewSet):
            text += " A ULID; required where there is a body."
        return [*named, OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, description=text)]

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*args, **kwargs)
        if operation is None or not isinstance(self.view, ApiViewSet):
            return operation
        responses = operation["responses"]
        if isinstance(self.view, PlatformViewSet):
            for status, codes in self._problem_codes(self.view, self._usual_refusals(operation)).items():
                responses.setdefault(status, _problem(status, codes))
        else:
            for status in self._usual_refusals(operation):
                responses.setdefault(status, _error(status))
        operation["responses"] = dict(sorted(responses.items()))
        return operation

    def _get_request_for_media_type(self, serializer: Any, direction: Any = "request") -> tuple[Any, bool]:
        """A body in which nothing is known may be sent all the same; spectacular would say that there is none."""
        library: Any = super()
        schema, is_required = library._get_request_for_media_type(serializer, direction)
        if schema is None and _plumbing.is_serializer(_plumbing.force_instance(serializer)):
            return {"type": "object"}, False
        return schema, is_required

    def _usual_refusals(self, operation: dict[str, Any]) -> list[str]:
        found = ["500", "503"]
        if self.view.get_authenticators():
            found.append("401")
        if self.view.get_permissions():
            found.append("403")
        if getattr(self.view, "limits", ()):
            found.append("429")
        found += [str(status) for status in getattr(self.view, "also_refuses", ())]
        names = {each["name"] for each in operation.get("parameters", ())}
        if "{" in self.path or "clientId" in names:
            found.append("404")
        if operation.get("parameters") or "requestBody" in operation:
            found.append("400")
        if "requestBody" in operation:
            found += ["413", "415"]
        if self._writes(self.view):
            found.append("409")
        return found

    def _writes(self, view: APIView) -> bool:
        reads = view.reads if isinstance(view, PlatformViewSet) else ()
        return self.method not in SAFE_METHODS and getattr(view, "action", "") not in reads

    def _problem_codes(self, view: PlatformViewSet, usual: list[str]) -> dict[str, list[str]]:
        """Every code that the operation may answer, by status."""
        refusals = [*view.always_refuses, *view.refusals.get(view.action, ())]
        codes: defaultdict[str, list[str]] = defaultdict(list)
        for refusal in refusals:
            codes[str(refusal.status)].append(refusal.code or dialect.PROBLEM_CODES[refusal.status])
        for status in usual:
            # Where rules name what does not exist, or stands against it, that is all there is of it.
            if status == "409" or (status == "404" and codes["404"]):
                continue
            codes[status].append(dialect.PROBLEM_CODES[int(status)])
        if self._writes(view):
            codes["400"].append(str(idempotency.KeyInvalid.code))
            codes["409"] += [str(idempotency.InProgress.code), str(idempotency.ReplayMismatch.code)]
        return {status: sorted(set(found)) for status, found in codes.items() if found}


def _error(status: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": _MEANINGS[status], "content": {"application/json": {"schema": schema}}}


def _problem(status: str, codes: list[str]) -> dict[str, Any]:
    """A problem with one of these codes, and an example of each."""
    one_of = {"type": "object", "properties": {"code": {"type": "string", "enum": codes}}}
    content = {
        "schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, one_of]},
        "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
    }
    return {"description": _MEANINGS[status], "content": {PROBLEM_JSON: content}}


def _example(status: int, code: str) -> dict[str, Any]:
    return {
        "type": f"/api/v1/problems/{code}",
        "title": _TITLES[status],
        "status": status,
        "detail": _MEANINGS[str(status)],
        "instance": "/api/v1/…",
        "code": code,
        "requestId": "req_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
        "traceId": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    }


def _examples(paths: dict[str, Any]) -> dict[str, Any]:
    """One of each code that some operation answers."""
    found = {}
    for operation in (each for methods in paths.values() for each in methods.values()):
        for status, response in operation["responses"].items():
            named = response.get("content", {}).get(PROBLEM_JSON, {}).get("examples", ())
            found.update({code: {"value": _example(int(status), code)} for code in named})
    return dict(sorted(found.items()))


def finish(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Spectacular's last hook: the two error shapes, once."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Error"], schemas["Problem"] = _ERROR, _PROBLEM_SHAPE
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    if examples := _examples(result["paths"]):
        result["components"]["examples"] = examples
    return result


def undescribed() -> list[type]:
    """Classes whose docstring is for those who build on them, and no description of what does."""
    return [*_plumbing.get_lib_doc_excludes(), ApiViewSet, PlatformViewSet, WireSerializer]


def only_platform(endpoints: list[Any]) -> list[Any]:
    """Preprocessing hook of `/api/v1/openapi.json`."""
    return [endpoint for endpoint in endpoints if dialect.is_platform(endpoint[0])]
