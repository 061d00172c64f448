"""Every route of the API, asked with another tenant's ids: as if they had never existed (contract 2).

The routes come from the OpenAPI document, so a new one is walked too; one with a kind of id that this file does not
know fails the walk until its foreign row is made here.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from drf_spectacular.generators import SchemaGenerator

from apps.accounts.models import User
from apps.kernel.ids import new_id
from apps.tenants.models import Client, EndUser
from tests import make
from tests.caller import Caller
from tests.delivery.tutoring import make_turn

MARKER = "acmesecret"
# Anybody may ask these, and none of them takes the id of a row.
OPEN = {"/api/auth/token", "/api/auth/token/refresh", "/api/auth/sign-in", "/.well-known/jwks.json"}
OPEN |= {"/health/live", "/health/ready"}
NOWHERE = {
    "client_id": "nowhere",
    "lesson_id": "lesson_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "lesson_play_id": "lpl_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "user_id": "somebody",
    "token_id": "rvt_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "media_path": "acme/posters/nothing.jpg",
    "plan_id": "plan_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "plan_play_id": "ppl_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "entry_id": "led_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
}
NOWHERE |= {
    "exercise_id": "nothing-of-the-kind",
    "session_id": "move_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "routine_template_id": "template_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "routine_instance_id": "instance_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "routine_run_id": "run_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
}
NOWHERE |= {
    "course_id": "crs_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "course_version_id": "cv_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "enrollment_id": "enr_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "device_id": "dev_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "play_session_id": "pls_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "turn_id": "trn_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "webhook_endpoint_id": "whe_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "delivery_id": "whd_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "bundle_id": "bnd_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    "mount_id": "mnt_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
}
QUERY_IDS = {"clientId": "client_id", "userId": "user_id", "lessonId": "lesson_id", "planId": "plan_id"}
QUERY_IDS |= {"courseVersionId": "course_version_id", "turnId": "turn_id"}
BODY_IDS = {"lessonId": "lesson_id", "userId": "user_id", "lessonIds": "lesson_id", "liveLessonIds": "lesson_id"}
BODY_IDS |= {"planId": "plan_id"}
BODY_IDS |= {"exerciseId": "exercise_id", "aiMoveSessionId": "session_id", "routineInstanceId": "routine_instance_id"}
BODY_IDS |= {"routineTemplateId": "routine_template_id", "visibleLibraryTemplateIds": "routine_template_id"}
BODY_IDS |= {"courseVersionId": "course_version_id", "enrollmentId": "enrollment_id", "deviceId": "device_id"}
BODY_IDS |= {"bundleId": "bundle_id", "mountId": "mount_id"}
# What makes a write go as far as its ids.
BODIES: dict[str, dict[str, Any]] = {
    "POST /api/lesson-plays": {"lessonId": "", "userId": ""},
    "PATCH /api/lesson-plays/{lesson_play_id}": {"returnUrl": "https://example.com/"},
    "POST /api/lesson-plays/{lesson_play_id}/progress": {"activityTime": 1},
    "POST /api/plan-plays": {"planId": "", "userId": "ada"},
    "PATCH /api/plan-plays/{plan_play_id}": {"status": "started"},
    "PATCH /api/client/{client_id}/users/{user_id}": {"displayName": "Taken over"},
    "POST /api/client/{client_id}/users": {"userId": "newcomer"},
    "POST /api/client/{client_id}/revokable-tokens": {"label": "New"},
    "POST /api/b2b/lessons/catalog": {"title": {"en": "New"}},
    "PATCH /api/b2b/lessons/catalog": {"liveLessonIds": [""]},
    "PATCH /api/b2b/lessons/catalog/{lesson_id}": {"title": {"en": "Taken over"}},
    "POST /api/b2b/lessons/catalog/{lesson_id}/subtitle": {"locale": "en", "file": ("en.vtt", b"WEBVTT\n")},
    "POST /api/b2b/plans": {"title": {"en": "New"}, "lessonIds": [""]},
    "PATCH /api/b2b/plans/{plan_id}": {"title": {"en": "Taken over"}, "lessonIds": [""]},
    "PATCH /api/platform/clients/{client_id}": {"name": "Taken over"},
    "POST /api/platform/clients": {"clientId": "taken-over", "name": "Taken over"},
    "PUT /api/platform/clients/{client_id}/policy": {"prices": {"lesson_play.created": 1}},
    "POST /api/platform/clients/{client_id}/credit-grants": {"credits": 5, "reference": "Taken over"},
    "POST /api/platform/clients/{client_id}/ledger/{entry_id}/reversal": {"reason": "Taken over"},
    "POST /api/auth/exchange-token": {},
    "POST /api/ai-training/my-plan/generate": {},
    "POST /api/ai-training/routine-instances/{routine_instance_id}/defer": {},
    "POST /api/ai-training/routine-runs": {"routineInstanceId": "", "startedFrom": "dashboard"},
    "PATCH /api/ai-training/routine-runs/{routine_run_id}": {"status": "abandoned"},
    "POST /api/ai-training/routine-runs/{routine_run_id}/sync": {"aiMoveSessionId": "", "sequenceIndex": 0},
    "POST /api/client/{client_id}/users/{user_id}/ai-training/assign-starter-plan": {},
    "POST /api/client/{client_id}/users/{user_id}/ai-training/assign-routine-template": {"routineTemplateId": ""},
    "POST /api/b2b/ai-training/routine-templates": {"name": {"en": "New"}},
    "PATCH /api/b2b/ai-training/routine-templates/{routine_template_id}": {"name": {"en": "Taken over"}},
    "POST /api/b2b/ai-training/routine-templates/{routine_template_id}/publish": {},
    "PATCH /api/b2b/ai-training/catalog": {"visibleLibraryTemplateIds": [""]},
    "POST /api/ai-move/sessions": {"exerciseId": ""},
    "PATCH /api/ai-move/sessions/{session_id}": {"repCount": 1},
    "POST /api/b2b/ai-move/exercises": {"exerciseId": "new", "name": {"en": "New"}},
    "POST /api/v1/courses": {"title": {"en": "New"}},
    "POST /api/v1/courses/{course_id}/versions": {"manifest": make.a_manifest()},
    "POST /api/v1/enrollments": {"userId": "ada", "courseVersionId": ""},
    "PATCH /api/v1/enrollments/{enrollment_id}": {"status": "revoked"},
    "POST /api/v1/devices": {"userId": "", "name": "New"},
    "PATCH /api/v1/devices/{device_id}": {"trusted": True},
    "POST /api/v1/play-sessions": {"enrollmentId": "", "courseVersionId": "", "deviceId": ""},
    "PATCH /api/v1/play-sessions/{play_session_id}/navigate": {"target": {"type": "next"}},
    "POST /api/v1/play-sessions/{play_session_id}/progress": {"lessonId": "les_01", "score": 1},
    **{f"POST /api/v1/play-sessions/{{play_session_id}}/{verb}": {} for verb in ("pause", "resume", "complete")},
    "POST /api/v1/play-sessions/{play_session_id}/tutor/turn": {"prompt": "Why?"},
    "POST /api/v1/play-sessions/{play_session_id}/abandon": {"reason": "Taken over"},
    "POST /api/v1/play-sessions/{play_session_id}/fail": {"reason": "Taken over"},
    "POST /api/v1/play-sessions/{play_session_id}/mount-offline": {
        "bundleId": "",
        "licenseEnvelope": "a.b.c",
        "bundleChecksum": "sha256-0",
    },
    "POST /api/v1/play-sessions/{play_session_id}/unmount-offline": {"mountId": ""},
    "POST /api/v1/bundles": {"courseVersionId": ""},
    "POST /api/v1/bundles/{bundle_id}/revoke": {"reason": "Taken over"},
    "POST /api/v1/bundles/{bundle_id}/licenses": {"deviceId": ""},
    # What a mutation names is refused one by one, and asked in tests/delivery/test_sync_rejections.py.
    "POST /api/v1/sync/push": {"mutations": []},
    "POST /api/v1/sync/pull": {},
    "POST /api/v1/webhook-endpoints": {"url": "https://receiver.example/"},
    "PATCH /api/v1/webhook-endpoints/{webhook_endpoint_id}": {"description": "Taken over"},
    "POST /api/v1/webhook-endpoints/{webhook_endpoint_id}/rotate-secret": {},
    "POST /api/v1/webhook-endpoints/{webhook_endpoint_id}/deliveries/{delivery_id}/replay": {},
}
MODULES = ["ai_training", "delivery"]


class Route(NamedTuple):
    method: str
    path: str
    queries: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_platform(self) -> bool:
        return self.path.startswith("/api/v1/")


@cache
def routes() -> tuple[Route, ...]:
    generator: Any = SchemaGenerator
    return tuple(_routes(generator().get_schema(request=None, public=True)))


def _routes(document: dict[str, Any]) -> Iterator[Route]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            named = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
            if path not in OPEN:
                yield Route(method.upper(), path, tuple(named))


@pytest.fixture
def foreign(acme: Client, dan: EndUser) -> dict[str, str]:
    """The ids of acme's rows, each of which says so in every text of it."""
    Client.objects.filter(pk="acme").update(name=MARKER, modules=MODULES)
    lesson = make.make_lesson(acme, title={"en": MARKER})
    play = make.make_play(dan, lesson, display_name=MARKER)
    plan = make.make_plan(acme, lesson, title={"en": MARKER})
    token, _ = make.make_revokable_token(acme, label=MARKER)
    person = make.make_user(acme, "marked", display_name=MARKER, email=f"{MARKER}@example.com")
    exercise = make.make_exercise(acme, "of-acme", name={"en": MARKER})
    template = make.make_template(acme, {"exercise": exercise}, name={"en": MARKER})
    instance = make.make_instance(dan, template)
    version = make.make_course_version(acme, make.a_manifest({"title": {"en": MARKER}}))
    enrollment, device = make.make_enrollment(dan, version), make.make_device(dan, name=MARKER)
    session = make.make_play_session(enrollment, device=device, reason=MARKER)
    bundle = make.make_bundle(version)
    license_, _ = make.make_license(bundle, device)
    endpoint, _ = make.make_endpoint(acme, f"https://{MARKER}.example/", description=MARKER)
    return {
        "client_id": "acme",
        "lesson_id": lesson.id,
        "lesson_play_id": play.id,
        "user_id": person.uid,
        "token_id": token.id,
        "media_path": make.make_media(acme, f"acme/posters/{MARKER}.jpg", MARKER.encode()).path,
        "plan_id": plan.id,
        "plan_play_id": make.make_plan_play(dan, plan, display_name=MARKER).id,
        "entry_id": make.make_grant(acme, 5, reference=MARKER).entry_id,
        "exercise_id": exercise.exercise_id,
        "session_id": make.make_move_session(dan, exercise).id,
        "routine_template_id": template.id,
        "routine_instance_id": instance.id,
        "routine_run_id": make.make_routine_run(dan, instance, started_from=MARKER).id,
        "course_id": version.course_id,
        "course_version_id": version.id,
        "enrollment_id": enrollment.id,
        "device_id": device.id,
        "play_session_id": session.id,
        "turn_id": make_turn(session, prompt=MARKER, pieces=[MARKER], status="answered").id,
        "webhook_endpoint_id": endpoint.id,
        "delivery_id": make.make_delivery(endpoint, subject_id=MARKER).id,
        "bundle_id": bundle.id,
        "mount_id": make.make_mount(session, bundle, license_).id,
    }


@pytest.fixture
def callers(ada: EndUser, cleo: User, demo: Client, as_: Callable[..., Caller]) -> dict[str, Caller]:
    Client.objects.filter(pk="demo").update(modules=MODULES)
    return {"an end user": as_(ada), "an administrator": as_(cleo), "an integration": make.make_integration(demo)}


def ask(caller: Caller, route: Route, ids: dict[str, str], query: dict[str, str], tenant: str = "demo") -> Any:
    path = re.sub(r"{(\w+)}", lambda match: ids[match[1]], route.path)
    body = dict(BODIES.get(route.name, {})) if route.method != "GET" else None
    for field, kind in BODY_IDS.items():
        if body and body.get(field) in ("", [""]):
            body[field] = [ids[kind]] if body[field] else ids[kind]
    headers = {"X-Tenant-Id": tenant, "Idempotency-Key": new_id("")} if route.is_platform else {}
    if body and "file" in body:
        form = encode_multipart(BOUNDARY, {**body, "file": SimpleUploadedFile(*body["file"])})
        return caller.call(route.method, path, form, query, {"Content-Type": MULTIPART_CONTENT})
    return caller.call(route.method, path, body, query, headers)


_OF_THE_REQUEST = re.compile(
    r"req_\w{26}|00-[0-9a-f]{32}-[0-9a-f]{16}-\d\d|\d{4}-\d\d-\d\dT[\d:.]+Z|(lpl|ppl|rvt|lesson|plan|enr|dev)_\w{26}"
)


def told(response: Any, ids: dict[str, str]) -> tuple[int, str]:
    """Status and body, without the ids that were asked for."""
    text = response.content.decode()
    assert MARKER not in text, f"{response.request['PATH_INFO']} shows a foreign row: {text[:300]}"
    for kind in sorted(ids, key=lambda kind: -len(ids[kind])):
        text = text.replace(ids[kind], "…")
    return response.status_code, _OF_THE_REQUEST.sub("…", text)


def writes(response: Any) -> bool:
    return response.status_code in (200, 201, 204) and response.request["REQUEST_METHOD"] != "GET"


@pytest.mark.parametrize("who", ["an end user", "an administrator", "an integration"])
def test_a_foreign_id_is_answered_as_one_that_never_existed(
    who: str, callers: dict[str, Caller], foreign: dict[str, str]
) -> None:
    """Ids of acme's rows in demo's paths, one kind at a time, against ids that nobody has."""
    caller, checked = callers[who], 0
    for route in routes():
        for kind in re.findall(r"{(\w+)}", route.path):
            assert kind in foreign, f"{route.name}: make a foreign row for {kind}"
            if kind == "client_id":
                continue
            own = {"client_id": "demo"}
            acmes, nobodys = {**NOWHERE, **own, kind: foreign[kind]}, {**NOWHERE, **own}
            theirs = told(ask(caller, route, acmes, {"clientId": "demo"}), acmes)
            nothing = told(ask(caller, route, nobodys, {"clientId": "demo"}), nobodys)
            assert theirs == nothing, route.name
            assert theirs[0] >= 400, route.name
            checked += 1
    assert checked >= 6


@pytest.mark.parametrize("who", ["an end user", "an administrator", "an integration"])
def test_another_client_is_refused_in_paths_and_queries(
    who: str, callers: dict[str, Caller], foreign: dict[str, str]
) -> None:
    caller, checked = callers[who], 0
    for route in routes():
        if "{client_id}" in route.path or "clientId" in route.queries:
            response = ask(caller, route, foreign, {"clientId": "acme"})
            status, _ = told(response, {})
            assert status in (401, 403, 404), f"{route.name}: {status}"
            checked += 1
    assert checked >= 8


@pytest.mark.parametrize("who", ["an end user", "an administrator"])
def test_another_tenant_in_the_header_is_refused(who: str, callers: dict[str, Caller], foreign: dict[str, str]) -> None:
    platform = [route for route in routes() if route.is_platform]
    for route in platform:
        response = ask(callers[who], route, foreign, {}, tenant="acme")
        assert response.json()["code"] in ("authz.tenant_not_a_member", "authz.forbidden"), route.name
        assert told(response, foreign)[0] == 403, route.name
    assert len(platform) >= 10


@pytest.mark.parametrize("who", ["an end user", "an administrator", "an integration"])
def test_a_foreign_id_in_a_query_finds_nothing(who: str, callers: dict[str, Caller], foreign: dict[str, str]) -> None:
    for route in routes():
        for name in set(route.queries) & set(QUERY_IDS) - {"clientId"}:
            kind = QUERY_IDS[name]
            own = {**NOWHERE, "client_id": "demo"}
            theirs = ask(callers[who], route, own, {"clientId": "demo", name: foreign[kind]})
            nothing = ask(callers[who], route, own, {"clientId": "demo", name: NOWHERE[kind]})
            assert told(theirs, {**own, name: foreign[kind]}) == told(nothing, own), f"{route.name} by {name}"


@pytest.mark.parametrize("who", ["an end user", "an administrator"])
def test_a_foreign_id_in_a_body_is_answered_as_one_that_never_existed(
    who: str, callers: dict[str, Caller], foreign: dict[str, str]
) -> None:
    for route in routes():
        if route.method == "GET":
            continue
        assert route.name in BODIES or route.method == "DELETE", f"{route.name}: give it a body here"
        if not any(value in ("", [""]) for value in BODIES.get(route.name, {}).values()):
            continue
        own = {**NOWHERE, "client_id": "demo"}
        theirs = ask(callers[who], route, {**foreign, "client_id": "demo"}, {})
        if not writes(theirs):
            nothing = ask(callers[who], route, own, {})
            assert told(theirs, foreign) == told(nothing, NOWHERE), route.name


def test_nobody_learns_anything_without_a_credential(anonymous: Caller, foreign: dict[str, str]) -> None:
    for route in routes():
        response = ask(anonymous, route, foreign, {"clientId": "acme"})
        assert response.status_code == 401, route.name
        status, text = told(response, {})
        assert status == 401, route.name
        if route.is_platform:
            assert response.json()["code"] == "auth.required", route.name
        else:
            assert text == '{"error":"Unauthorized"}', route.name


def test_no_body_takes_the_tenant_from_the_caller(
    ada: EndUser, cleo: User, acme: Client, as_: Callable[..., Caller]
) -> None:
    """Mass assignment: a `clientId`, `role` or `status` in a body is an unknown field."""
    lesson = make.make_lesson(ada.client)
    extra = {"clientId": "acme", "client_id": "acme", "role": "platform_admin", "completedAt": "2026-01-01T00:00:00Z"}
    made = as_(ada).post("/api/lesson-plays", {"lessonId": lesson.id, **extra, "score": 100})
    play = as_(ada).get(f"/api/lesson-plays/{made.json()['lessonPlayId']}").json()["data"]
    assert (play["clientId"], play["userId"], play["completedAt"], play["score"]) == ("demo", "ada", None, None)
    user = as_(cleo).post("/api/client/demo/users", {"userId": "new", **extra}).json()["user"]
    assert user["clientId"] == "demo"
