"""One row of each kind, with what a test does not care about filled in."""

import itertools
from hashlib import sha256
from typing import Any

from apps.accounts import tokens
from apps.accounts.models import Administration, RevokableToken, User
from apps.accounts.principal import Principal, Role
from apps.ai_training.models import (
    Exercise,
    MoveSession,
    RoutineInstance,
    RoutineRun,
    RoutineStep,
    RoutineTemplate,
    RoutineTemplateVersion,
    RunStep,
    TrainingPlan,
    VisibleTemplate,
)
from apps.billing import services as billing
from apps.billing.models import CommercialPolicy, CreditLot, EventType
from apps.billing.terms import Terms
from apps.catalog import media
from apps.catalog.models import Lesson, LessonSession, MediaFile, Plan, PlanLesson, ShelfEntry
from apps.delivery.models import (
    Bundle,
    Course,
    CourseVersion,
    Device,
    Enrollment,
    License,
    Mount,
    PlayPackage,
    PlaySession,
    SyncMutation,
)
from apps.delivery.services import licensing
from apps.events import outbox
from apps.events import services as webhooks
from apps.events.models import OutboxEvent, WebhookDelivery, WebhookEndpoint
from apps.jobs import services as jobs
from apps.jobs.models import Job
from apps.kernel.clock import now
from apps.kernel.ids import new_id
from apps.plans.models import PlanPlay
from apps.plays.models import LessonPlay
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests.caller import Caller

_numbers = itertools.count(1)


def make_client(client_id: str, **over: Any) -> Client:
    return Client.objects.create(**{"id": client_id, "name": client_id.title(), **over})


def make_user(client: Client, uid: str, **over: Any) -> EndUser:
    with binding.bound(client.id):
        return EndUser.objects.create(client=client, uid=uid, **{"locale": "en", **over})


def make_staff(username: str, *clients: Client, **over: Any) -> User:
    with binding.bound(binding.ALL_CLIENTS):
        user = User.objects.create_user(
            username, password=over.pop("password", "correct horse battery"), **{"is_staff": True, **over}
        )
        for client in clients:
            Administration.objects.create(user=user, client=client)
    return user


def make_lesson(
    client: Client,
    *,
    live: bool = True,
    tiers: tuple[str, ...] = ("standard", "premium"),
    sessions: tuple[dict[str, Any], ...] = (),
    **over: Any,
) -> Lesson:
    """A lesson on its owner's shelf; `sessions` are fields of LessonSession."""
    number = next(_numbers)
    title = {"en": f"Lesson {number}", "zh-Hant": f"課程 {number}", "zh-Hans": f"课程 {number}"}
    with binding.bound(client.id):
        lesson = Lesson.objects.create(client=client, **{"title": title, "duration": 600, "met": 3, **over})
        for session in sessions:
            LessonSession.objects.create(client=client, lesson=lesson, **session)
        ShelfEntry.objects.create(client=client, lesson=lesson, is_live=live, membership_tiers=list(tiers))
    return lesson


def make_media(
    client: Client, path: str, content: bytes = b"0123456789", content_type: str = "image/jpeg", **over: Any
) -> MediaFile:
    """A file of the client, in whatever store is set up."""
    with binding.bound(client.id), binding.atomic():
        given = {"author": "cleo", "now": now(), **over}
        return media.store(client_id=client.id, path=path, content=content, content_type=content_type, **given)


def make_play(user: EndUser, lesson: Lesson, **over: Any) -> LessonPlay:
    """`user` plays `lesson`; derived columns are taken as given."""
    with binding.bound(user.client_id):
        return LessonPlay.objects.create(
            client_id=user.client_id, user_id=user.uid, lesson=lesson, **{"created_at": now(), **over}
        )


def make_event(client: Client, event_type: str = "test.happened", **payload: Any) -> OutboxEvent:
    """An event that is due; `record` is how services make them."""
    with binding.bound(client.id):
        return outbox.record(client_id=client.id, event_type=event_type, subject_id="sub_1", payload=payload, now=now())


def make_endpoint(
    client: Client, url: str = "https://receiver.example/hooks", **over: Any
) -> tuple[WebhookEndpoint, str]:
    """A webhook, and its secret; `over` may be what services would not write."""
    with binding.bound(client.id), binding.atomic():
        given = {name: over.pop(name) for name in ("event_types", "description") if name in over}
        endpoint, secret = webhooks.create_endpoint(
            client_id=client.id, url=url, now=now(), **{"event_types": (), **given}
        )
        if over:
            WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**over)
            endpoint.refresh_from_db()
    return endpoint, secret


def make_delivery(endpoint: WebhookEndpoint, event_type: str = "lesson_play.created", **over: Any) -> WebhookDelivery:
    """Pending and due, as the relay writes it."""
    time = now()
    fields = {"event_id": new_id("evt_"), "subject_id": "lpl_1", "payload": {"userId": "ada"}, **over}
    with binding.bound(endpoint.client_id):
        return WebhookDelivery.objects.create(
            **{
                "client_id": endpoint.client_id,
                "endpoint": endpoint,
                "event_type": event_type,
                "occurred_at": time,
                "created_at": time,
                **fields,
            }
        )


def make_integration(client: Client, **over: Any) -> Caller:
    """Whoever holds a revokable token of this client."""
    with binding.bound(client.id):
        row = RevokableToken.objects.create(client=client, label="Integration", created_at=now(), **over)
    token = tokens.issue_revokable_token(row, now=now())
    return Caller({"RevokableToken": token.text})


def put_on_shelf(client: Client, lesson: Lesson, *, live: bool = True, tiers: tuple[str, ...] = ("standard",)) -> None:
    """The client shows a lesson of the library."""
    with binding.bound(client.id):
        ShelfEntry.objects.create(client=client, lesson=lesson, is_live=live, membership_tiers=list(tiers))


def make_revokable_token(client: Client, **over: Any) -> tuple[RevokableToken, str]:
    """The row and its secret."""
    with binding.bound(client.id):
        row = RevokableToken.objects.create(client=client, **{"label": "A robot", "created_at": now(), **over})
    return row, tokens.issue_revokable_token(row, now=row.created_at).text


def make_job(client: Client, kind: str = "test.job", *, subject_id: str = "sub_1", **payload: Any) -> Job:
    """A job that is due; `request_job` is how services make them."""
    with binding.bound(client.id):
        return jobs.request_job(client_id=client.id, kind=kind, subject_id=subject_id, payload=payload, now=now())


def make_plan(client: Client, *lessons: Lesson, **over: Any) -> Plan:
    """A plan of these lessons, in this order; live unless said otherwise."""
    times = {"created_at": now(), "modified_at": now()}
    with binding.bound(client.id):
        title = {"en": f"Plan {next(_numbers)}"}
        plan = Plan.objects.create(client=client, **{"title": title, "status": "live", **times, **over})
        for position, lesson in enumerate(lessons):
            PlanLesson.objects.create(client=client, plan=plan, lesson=lesson, position=position)
    return plan


def make_exercise(client: Client, exercise_id: str = "", **over: Any) -> Exercise:
    name = exercise_id or f"exercise-{next(_numbers)}"
    with binding.bound(client.id):
        given = {"name": {"en": name.replace("-", " ").title()}, "created_at": now(), **over}
        return Exercise.objects.create(client=client, exercise_id=name, **given)


def make_template(
    client: Client, *steps: dict[str, Any], status: str = "published", visible_to: tuple[Client, ...] = (), **over: Any
) -> RoutineTemplate:
    """A template with one version of these steps (fields of RoutineStep; by default one of ten repetitions)."""
    time = now()
    with binding.bound(client.id):
        template = RoutineTemplate.objects.create(client=client, status=status, created_at=time, modified_at=time)
        content = {"name": {"en": f"Routine {next(_numbers)}"}, "goal": "balance", "risk_tiers": ["low"], **over}
        version = RoutineTemplateVersion.objects.create(client=client, template=template, number=1, **content)
        for sequence, step in enumerate(steps or ({},)):
            target = {} if "target_seconds" in step else {"target_reps": 10}
            exercise = step.get("exercise") or make_exercise(client)
            row = {**target, **step, "exercise": exercise, "sequence": sequence}
            RoutineStep.objects.create(client=client, version=version, **row)
        if status == "published":
            version.status, version.published_at = status, time
            version.save(update_fields=["status", "published_at"])
    for viewer in visible_to:
        with binding.bound(viewer.id):
            VisibleTemplate.objects.create(client=viewer, template=template)
    return template


def make_training_plan(user: EndUser, **over: Any) -> TrainingPlan:
    with binding.bound(user.client_id):
        snapshot: dict[str, Any] = {"latestRiskTier": None, "availableInputs": [], "missingInputs": []}
        given = {"goal": "balance", "intensity": "moderate", "frequency": 3, "created_at": now(), **over}
        given.setdefault("assessment_snapshot", snapshot)
        return TrainingPlan.objects.create(client_id=user.client_id, user_id=user.uid, **given)


def make_instance(
    user: EndUser, template: RoutineTemplate, plan: TrainingPlan | None = None, **over: Any
) -> RoutineInstance:
    """A place at the end of the person's queue; their active plan is made where there is none."""
    with binding.bound(user.client_id):
        mine = RoutineInstance.objects.of_user(user.client_id, user.uid)
        plan = plan or TrainingPlan.objects.of_user(user.client_id, user.uid).active().first()
        given = {"queue_position": mine.count(), "created_at": now(), **over}
        return RoutineInstance.objects.create(
            client_id=user.client_id,
            user_id=user.uid,
            plan=plan or make_training_plan(user),
            template=template,
            version=template.versions.get(status="published"),
            **given,
        )


def make_routine_run(user: EndUser, instance: RoutineInstance, **over: Any) -> RoutineRun:
    """A run of the instance, its steps pending; the derived columns are taken as given."""
    with binding.bound(user.client_id):
        steps = list(instance.version.steps.all())
        given = {"started_from": "dashboard", "total_exercises": len(steps), "created_at": now(), **over}
        run = RoutineRun.objects.create(client_id=user.client_id, user_id=user.uid, instance=instance, **given)
        for step in steps:
            RunStep.objects.create(client_id=user.client_id, run=run, sequence=step.sequence, step=step)
    return run


def make_move_session(user: EndUser, exercise: Exercise, **over: Any) -> MoveSession:
    with binding.bound(user.client_id):
        given = {"created_at": now(), **over}
        return MoveSession.objects.create(client_id=user.client_id, user_id=user.uid, exercise=exercise, **given)


def make_policy(client: Client, **over: Any) -> CommercialPolicy:
    """The client's terms; what is not given is unlimited or free."""
    terms = Terms(**{**over, **{name: over.get(name) or {} for name in ("quotas", "prices")}})
    with binding.bound(client.id):
        return billing.set_policy(client_id=client.id, terms=terms, author="root", now=now())


def make_grant(client: Client, credits: int, **over: Any) -> CreditLot:  # noqa: A002 - the field's name
    given = {"reference": f"grant {next(_numbers)}", "expires_at": None, "author": "root", "now": now(), **over}
    with binding.bound(client.id):
        return billing.grant_credits(client_id=client.id, amount=credits, **given).lot


def make_charge(client: Client, activity_id: str, event_type: str = "lesson_play.created") -> None:
    """Something billable happened; a refusal is raised."""
    with binding.bound(client.id), binding.atomic():
        billing.authorize_and_charge(
            client=client, event_type=EventType(event_type), activity_id=activity_id, now=now()
        )


def make_plan_play(user: EndUser, plan: Plan, **over: Any) -> PlanPlay:
    """`user` walks `plan`; one that has ended was completed when it was made, unless said otherwise."""
    time = over.pop("created_at", None) or now()
    given = {"created_at": time, "updated_at": time, **over}
    if given.get("status") == "ended":
        given = {"completed_at": time, "first_completed_at": time, **given}
    with binding.bound(user.client_id):
        planned = list(plan.places.order_by("position").values_list("lesson_id", flat=True))
        return PlanPlay.objects.create(
            client_id=user.client_id, user_id=user.uid, plan=plan, **{"planned_lessons": planned, **given}
        )


def a_manifest(*lessons: dict[str, Any]) -> dict[str, Any]:
    """One module of these lessons, each with what is not given filled in; by default three without gates."""
    rows = lessons or ({}, {}, {})
    return {
        "modules": [
            {
                "id": "mod_01",
                "title": {"en": "Module 1"},
                "lessons": [
                    {"id": f"les_{place:02}", "title": {"en": f"Lesson {place}"}, "required": True, "blocks": [], **row}
                    for place, row in enumerate(rows, start=1)
                ],
            }
        ]
    }


def make_course_version(
    client: Client, manifest: dict[str, Any] | None = None, *, packaged: bool = True, course: Course | None = None
) -> CourseVersion:
    """A published version of a course of its own, or of this one, as if its manifest had been validated."""
    time = now()
    with binding.bound(client.id):
        course = course or Course.objects.create(
            client=client, title={"en": f"Course {next(_numbers)}"}, created_at=time
        )
        number = course.versions.count() + 1
        version = CourseVersion.objects.create(client=client, course=course, number=number, created_at=time)
        if packaged:
            PlayPackage.objects.create(
                client=client, version=version, manifest=manifest or a_manifest(), created_at=time
            )
    return version


def make_enrollment(user: EndUser, version: CourseVersion | None = None, **over: Any) -> Enrollment:
    time = now()
    version = version or make_course_version(user.client)
    if over.get("status") == "revoked":
        over = {"revoked_at": time, **over}
    with binding.bound(user.client_id):
        return Enrollment.objects.create(
            client_id=user.client_id, user_id=user.uid, course_version=version, **{"created_at": time, **over}
        )


def make_device(user: EndUser, **over: Any) -> Device:
    given = {"name": f"Phone {next(_numbers)}", "created_at": now(), **over}
    with binding.bound(user.client_id):
        return Device.objects.create(client_id=user.client_id, user_id=user.uid, **given)


def make_play_session(enrollment: Enrollment, **over: Any) -> PlaySession:
    """An attempt that stands on the first lesson of `a_manifest`."""
    time = over.pop("started_at", None) or now()
    given = {"module_id": "mod_01", "lesson_id": "les_01", "sequence_index": 0, "attempt_number": 1, **over}
    if given.get("state") in ("completed", "failed", "abandoned"):
        given = {"ended_at": time, **given}
    with binding.bound(enrollment.client_id):
        return PlaySession.objects.create(
            client_id=enrollment.client_id,
            user_id=enrollment.user_id,
            enrollment=enrollment,
            course_version_id=enrollment.course_version_id,
            started_at=time,
            **{"last_activity_at": time, **given},
        )


def make_bundle(version: CourseVersion, **over: Any) -> Bundle:
    """A ready bundle, whose file is in no store; `status` makes another."""
    time, digest = now(), sha256(f"bundle {next(_numbers)}".encode()).hexdigest()
    given: dict[str, Any] = {"created_at": time, "status": "ready", **over}
    if given["status"] == "ready":
        ready = {"finished_at": time, "size": 6, "checksum": f"sha256-{digest}", "key": f"bundles/{digest}"}
        given = {**ready, **given}
    if given["status"] == "failed":
        given = {"finished_at": time, "problem": "Something was missing.", **given}
    with binding.bound(version.client_id):
        return Bundle.objects.create(client_id=version.client_id, course_version=version, **given)


def make_license(bundle: Bundle, device: Device, **over: Any) -> tuple[License, str]:
    """The record, and what is handed out; as of `now`, which may be in the past."""
    given = {"expires_at": None, "now": now(), **over}
    staff = Principal(Role.CLIENT_ADMIN, bundle.client_id, "cleo")
    with binding.bound(bundle.client_id), binding.atomic():
        issued = licensing.issue_license(
            principal=staff, client_id=bundle.client_id, bundle_id=bundle.pk, device_id=device.pk, **given
        )
    return issued.license, issued.envelope


def make_mount(session: PlaySession, bundle: Bundle, license_: License, **over: Any) -> Mount:
    """On the device of the licence; open unless said otherwise."""
    time = now()
    given = {"mounted_at": time, "expires_at": license_.expires_at, **over}
    with binding.bound(session.client_id):
        return Mount.objects.create(
            client_id=session.client_id,
            session=session,
            device_id=license_.device_id,
            bundle=bundle,
            license=license_,
            **given,
        )


def make_sync_mutation(user: EndUser, **over: Any) -> SyncMutation:
    """A rejected one, as it is kept; `verdict` makes another, `problem_detail` says why."""
    number, detail = next(_numbers), over.pop("problem_detail", "Play session not found")
    given: dict[str, Any] = {
        "client_mutation_id": f"cm_made_{number}",
        "entity_type": "PlaySession",
        "entity_id": f"pls_{number:026}",
        "lamport": number,
        "told": {"lamport": number},
        "verdict": "rejected",
        "received_at": now(),
        **over,
    }
    if given["verdict"] == "rejected":
        code = "session.not_found"
        told = {"type": f"/api/v1/problems/{code}", "title": "Not Found", "status": 404, "code": code, "detail": detail}
        given = {"problem": told, **given}
    with binding.bound(user.client_id):
        return SyncMutation.objects.create(client_id=user.client_id, user_id=user.uid, **given)
