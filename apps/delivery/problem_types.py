"""What does each code of a platform problem mean, and what can a caller do about it? (004; contract 2, 9; RFC 9457)"""

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse

from apps.api import html


@dataclass(frozen=True, slots=True)
class ProblemType:
    """What stands at the `type` of a problem: the statuses it comes with, when, and what helps."""

    code: str
    status: int
    meaning: str
    remedy: str


def _types(*rows: tuple[str, int, str, str]) -> dict[str, ProblemType]:
    return {row[0]: ProblemType(*row) for row in rows}


TYPES = _types(
    ("auth.required", 401, "No credential was sent, or one that is not good any more.", "Send a token that is."),
    ("authz.forbidden", 403, "The caller's role may not do this.", "Ask with a credential of the right role."),
    (
        "authz.tenant_not_a_member",
        403,
        "X-Tenant-Id names a tenant that the caller does not belong to.",
        "Send the tenant of the token.",
    ),
    ("tenant.header_missing", 400, "X-Tenant-Id is missing.", "Send it with every request."),
    ("delivery.module_disabled", 403, "Delivery is not switched on for this tenant.", "The platform can switch it on."),
    ("request.invalid", 400, "Something in the request has the wrong shape.", "`errors` says where and why."),
    ("request.too_large", 413, "The body is over the limit.", "Send less at a time."),
    ("request.media_type_unsupported", 415, "The body is not JSON.", "Send it as application/json."),
    ("request.precondition_failed", 412, "If-Match names no ETag that is current.", "Ask without it."),
    ("request.range_not_satisfiable", 416, "The range begins after the end.", "Content-Range says where that is."),
    ("request.method_not_allowed", 405, "There is no such method here.", "`Allow` names those that there are."),
    ("request.conflict", 409, "It cannot be done as things are.", "Read the state again before the next try."),
    ("route.not_found", 404, "There is nothing at this address.", "The OpenAPI document lists the addresses."),
    ("rate_limited", 429, "Too many calls in too short a time.", "Wait as many seconds as Retry-After says."),
    ("server.error", 500, "Something failed on our side; nothing was changed.", "Try again; name the requestId to us."),
    ("server.unavailable", 503, "A part that we need does not answer.", "Try again after Retry-After."),
    (
        "idempotency.key_invalid",
        400,
        "Idempotency-Key is missing, or not a ULID.",
        "Send a new ULID with each write that has a body, and the same one with its retries.",
    ),
    (
        "idempotency.in_progress",
        409,
        "The first request with this key is still running.",
        "Try again after Retry-After; its answer will be replayed.",
    ),
    (
        "idempotency.replay_mismatch",
        409,
        "This key was used with another body.",
        "Send a new key with a new request.",
    ),
    (
        "pagination.cursor_invalid",
        400,
        "The cursor is not ours, or of a list with other filters, or of another caller.",
        "Begin with the first page.",
    ),
    ("user.not_found", 404, "The tenant has no such person.", "Check the userId."),
    ("course.not_found", 404, "The tenant has no such course.", "Check the id."),
    ("course_version.not_found", 404, "The tenant has no such course version.", "Check the id."),
    (
        "manifest.invalid",
        422,
        "The manifest has the right shape, and cannot be walked as it is.",
        "`errors` has a JSON pointer and a reason for each fault.",
    ),
    ("enrollment.not_found", 404, "The caller has no such enrollment for this version.", "Check both ids."),
    ("enrollment.revoked", 403, "The enrollment is not active any more.", "An administrator can activate it."),
    ("device.not_found", 404, "The caller has no such device.", "Register it first."),
    ("play_package.not_found", 422, "There is no package for this course version.", "Check the courseVersionId."),
    ("session.not_found", 404, "The tenant has no such play session.", "Check the id."),
    ("session.not_owner", 403, "The play session is another person's.", "Ask with its owner's token."),
    (
        "session.invalid_state",
        409,
        "The play session is in a state in which this cannot be done.",
        "Read its state; a paused session is resumed first.",
    ),
    (
        "session.version_conflict",
        409,
        "If-Match names another version than the play session has.",
        "Read the state, decide again, and send its version.",
    ),
    ("session.rate_limited", 409, "Too many sessions were started.", "Wait as many seconds as Retry-After says."),
    (
        "delivery.play_session.terminal",
        409,
        "The play session has ended and cannot be resumed.",
        "Start a new one; its attemptNumber is the next.",
    ),
    (
        "navigation.invalid_target",
        422,
        "The target is not in the manifest, or the choice is not offered here.",
        "`allowedTargets` of the state lists what is.",
    ),
    (
        "navigation.unreachable",
        422,
        "The target cannot be reached yet.",
        "`errors` names each prerequisite, gate and branch that is unmet, what it needs and what there is.",
    ),
    (
        "completion.requirements_unmet",
        422,
        "Required lessons or gates are not done.",
        "`errors` lists them: what each needs and what there is.",
    ),
    ("bundle.not_found", 404, "The tenant has no such bundle, or none for this caller.", "Check the id."),
    ("bundle.revoked", 403, "The bundle was revoked.", "Take another bundle of the course version."),
    ("bundle.not_ready", 409, "The bundle is being built, or could not be.", "Read its status."),
    ("bundle.not_failed", 409, "The bundle is being built, or is ready.", "Only one that has failed is built again."),
    ("bundle.already_mounted", 409, "The bundle is mounted on this device.", "Unmount it there first."),
    (
        "bundle.integrity_failed",
        422,
        "The checksum is not that of the bundle's bytes.",
        "Download it again, and read its checksum.",
    ),
    (
        "device.not_trusted",
        403,
        "The play session has no device, or the device is not trusted.",
        "An administrator can trust it.",
    ),
    (
        "license.invalid",
        403,
        "The licence is not one of this tenant for this bundle and this device, or it was touched.",
        "Ask for a new one.",
    ),
    ("license.expired", 403, "The licence has expired.", "Ask for a new one."),
    ("mount.not_found", 404, "The play session has no such mount.", "Check the mountId."),
    ("mount.not_mounted", 409, "The mount has ended already.", "Nothing is left to be done."),
    (
        "tutor.turn_not_found",
        404,
        "This session has no such turn.",
        "Take the streamUrl that the turn was answered with.",
    ),
    ("tutor.too_many_streams", 429, "Five streams of this person are open.", "Close one of them."),
    ("webhook_endpoint.not_found", 404, "The tenant has no such webhook endpoint.", "Check the id."),
    ("webhook_endpoint.disabled", 409, "The webhook endpoint is switched off.", "Switch it on first."),
    ("webhook_endpoint.too_many", 409, "The tenant has as many webhook endpoints as it may.", "Delete one."),
    ("webhook_delivery.not_found", 404, "The endpoint has no such delivery.", "Check the id."),
    ("webhook_delivery.pending", 409, "The delivery is still being tried.", "Wait until it has failed or arrived."),
)


def problem_types(request: HttpRequest) -> HttpResponse:
    """`GET /api/v1/problems`: all of them."""
    return html.page(request, "delivery/problems.html", {"types": TYPES.values()})


def problem_type(request: HttpRequest, code: str) -> HttpResponse:
    """`GET /api/v1/problems/{code}`: where the `type` of a problem leads."""
    if code not in TYPES:
        raise Http404
    return html.page(request, "delivery/problems.html", {"types": [TYPES[code]], "is_one": True})
