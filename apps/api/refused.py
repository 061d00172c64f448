"""What does a problem say of a refusal, wherever it stands? (RFC 9457; contract 2)

In an answer of its own, or beside others: it knows of no request.
"""

from typing import Any

from apps.kernel.refusals import Refusal

# The code of a problem that no rule named more precisely.
PROBLEM_CODES = {
    400: "request.invalid",
    401: "auth.required",
    403: "authz.forbidden",
    404: "route.not_found",
    405: "request.method_not_allowed",
    409: "request.conflict",
    412: "request.precondition_failed",
    413: "request.too_large",
    415: "request.media_type_unsupported",
    416: "request.range_not_satisfiable",
    429: "rate_limited",
    500: "server.error",
    503: "server.unavailable",
}


def problem(refusal: Refusal) -> dict[str, Any]:
    """`type`, `title`, `status`, `detail`, `code`, and `errors` where fields are to blame."""
    code = refusal.code or PROBLEM_CODES.get(refusal.status, "request.invalid")
    told: dict[str, Any] = {
        "type": f"/api/v1/problems/{code}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.message,
        "code": code,
    }
    if refusal.details:
        told["errors"] = [{"pointer": _pointer(each.path), "detail": each.message} for each in refusal.details]
    return {**told, **refusal.extra}


def _pointer(path: str) -> str:
    """`plannedLessons.0` → `/plannedLessons/0` (RFC 6901)."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path.split(".")) if path else ""
