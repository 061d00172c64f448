"""One row of every kind that the admin shows, for one client; every text of it carries the client's marker."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model

from apps.accounts.models import RevokableToken, User
from apps.ai_training.models import Exercise, RoutineRun, RoutineTemplate, TrainingPlan
from apps.billing import periods
from apps.billing import services as billing
from apps.billing.models import CommercialPolicy, CreditAccount, CreditLot, LedgerEntry, MeteredDay, Statement
from apps.billing.terms import Terms
from apps.catalog.models import BatchRow, Lesson, LessonBatch, Plan
from apps.delivery.models import (
    Bundle,
    Course,
    CourseVersion,
    Device,
    Enrollment,
    License,
    LicenseKey,
    Mount,
    PlaySession,
    SyncMutation,
)
from apps.delivery.services.licensing import rotate_license_key
from apps.delivery.services.revoking import revoke_bundle
from apps.events.models import DeadLetter, OutboxEvent, WebhookDelivery, WebhookEndpoint
from apps.jobs.models import Job
from apps.kernel.clock import now
from apps.plans.models import PlanPlay
from apps.plays.models import LessonPlay
from apps.tenants import binding, registry
from apps.tenants.models import Client, EndUser
from tests import make


def a_client(client: Client, marker: str) -> Client:
    Client.objects.filter(pk=client.pk).update(name=f"{marker} Ltd", allowed_return_hosts=[f"{marker}.example.com"])
    return client


def a_user(client: Client, marker: str) -> EndUser:
    return make.make_user(client, f"{marker}-uid", display_name=f"{marker} Person", email=f"{marker}@example.com")


def a_lesson(client: Client, marker: str) -> Lesson:
    session = {"start_seconds": 0, "end_seconds": 60, "title": {"en": f"{marker} session"}}
    return make.make_lesson(client, title={"en": f"{marker} lesson"}, sessions=(session,))


def a_plan(client: Client, marker: str) -> Plan:
    lesson = make.make_lesson(client, title={"en": f"{marker} planned"})
    return make.make_plan(client, lesson, title={"en": f"{marker} plan"})


def a_plan_play(client: Client, marker: str) -> PlanPlay:
    user = make.make_user(client, f"{marker}-walker")
    lesson = make.make_lesson(client, title={"en": f"{marker} walked"})
    plan = make.make_plan(client, lesson, title={"en": f"{marker} walk"})
    return make.make_plan_play(user, plan, display_name=f"{marker} Walker", completed_lessons=[lesson.id])


def a_play(client: Client, marker: str) -> LessonPlay:
    user = make.make_user(client, f"{marker}-player")
    lesson = make.make_lesson(client, title={"en": f"{marker} played"})
    return make.make_play(user, lesson, display_name=f"{marker} Player")


def a_token(client: Client, marker: str) -> RevokableToken:
    with binding.bound(client.id):
        return RevokableToken.objects.create(client=client, label=f"{marker} token", created_at=now())


def a_member_of_staff(client: Client, marker: str) -> User:
    return make.make_staff(f"{marker}-staff", client, email=f"{marker}@staff.example.com")


def an_entry(client: Client, marker: str) -> LogEntry:
    author = make.make_staff(f"{marker}-author", client)
    entry: LogEntry = LogEntry.objects.log_actions(author.pk, [client], CHANGE, f"{marker} message", single_object=True)
    LogEntry.objects.filter(pk=entry.pk).update(object_repr=f"{marker} object")
    return entry


def a_dead_letter(client: Client, marker: str) -> OutboxEvent:
    event = make.make_event(client, marker=marker)
    with binding.bound(client.id):
        OutboxEvent.objects.filter(pk=event.pk).update(
            state=DeadLetter.State.DEAD,
            next_attempt_at=None,
            last_error=f"{marker} error",
            created_at=now() - timedelta(hours=1),
        )
    return event


def a_webhook(client: Client, marker: str) -> WebhookEndpoint:
    return make.make_endpoint(client, f"https://{marker}.example.com/hooks", description=f"{marker} webhook")[0]


def a_webhook_delivery(client: Client, marker: str) -> WebhookDelivery:
    endpoint = make.make_endpoint(client, f"https://{marker}.example.com/told")[0]
    return make.make_delivery(
        endpoint,
        subject_id=f"{marker}-subject",
        payload={"marker": marker},
        last_error=f"{marker} error",
        last_response=f"{marker} response",
    )


def a_job(client: Client, marker: str) -> Job:
    job = make.make_job(client, f"{marker}.kind", subject_id=f"{marker}-subject")
    with binding.bound(client.id):
        Job.objects.filter(pk=job.pk).update(
            state=Job.State.FAILED,
            next_attempt_at=None,
            finished_at=now(),
            error=f"{marker} error",
            done=1,
            total=2,
        )
    return job


def a_batch(client: Client, marker: str) -> LessonBatch:
    with binding.bound(client.id):
        batch = LessonBatch.objects.create(
            client=client, file_name=f"{marker}.csv", row_count=1, author=f"{marker}-author", created_at=now()
        )
        BatchRow.objects.create(
            client=client, batch=batch, number=2, name=f"{marker} row", outcome="new", fields={"met": 1}
        )
    return batch


def a_policy(client: Client, marker: str) -> CommercialPolicy:
    with binding.bound(client.id):
        terms = Terms(rate_per_minute=60)
        return billing.set_policy(client_id=client.id, terms=terms, author=f"{marker} author", now=now())


def a_grant(client: Client, marker: str) -> CreditLot:
    return make.make_grant(client, 5, reference=f"{marker} grant", author=f"{marker} author")


def a_ledger_entry(client: Client, marker: str) -> LedgerEntry:
    with binding.bound(client.id):
        return make.make_grant(client, 7, reference=f"{marker} entry", author=f"{marker} author").entry


def an_account(client: Client, marker: str) -> CreditAccount:
    make.make_grant(client, 11, reference=f"{marker} account")
    with binding.bound(client.id):
        MeteredDay.objects.create(client=client, day=now().date(), endpoint=f"GET /{marker}", calls=3)
        return CreditAccount.objects.get(pk=client.pk)


def a_statement(client: Client, marker: str) -> Statement:
    month, time = periods.month(2026, 1, client.time_zone), now()
    with binding.bound(client.id):
        return Statement.objects.create(
            client=client,
            period=month.first_day,
            starts_at=month.start,
            ends_at=month.end,
            opening_balance=0,
            granted=13,
            spent=0,
            reversed=0,
            expired=0,
            closing_balance=13,
            events={f"{marker}.created": {"events": 1, "credits": 0}},
            created_at=time,
        )


def with_module(client: Client, module: str) -> Client:
    """Without it its administrators see nothing of what follows."""
    client.modules = sorted({*client.modules, module})
    Client.objects.filter(pk=client.pk).update(modules=client.modules)
    registry.forget()
    return client


def an_exercise(client: Client, marker: str) -> Exercise:
    with_module(client, "ai_training")
    return make.make_exercise(client, f"{marker}-march", name={"en": f"{marker} march"})


def a_routine(client: Client, marker: str) -> RoutineTemplate:
    with_module(client, "ai_training")
    exercise = make.make_exercise(client, f"{marker}-step", name={"en": f"{marker} step"})
    return make.make_template(client, {"exercise": exercise}, name={"en": f"{marker} routine"}, goal=f"{marker} goal")


def a_course(client: Client, marker: str) -> Course:
    with binding.bound(client.id):
        return Course.objects.create(
            client=with_module(client, "delivery"),
            title={"en": f"{marker} course"},
            created_at=now(),
            created_by=marker,
        )


def a_course_version(client: Client, marker: str) -> CourseVersion:
    manifest = make.a_manifest({"title": {"en": f"{marker} lesson"}})
    return make.make_course_version(client, manifest, course=a_course(client, marker))


def an_enrollment(client: Client, marker: str) -> Enrollment:
    return make.make_enrollment(make.make_user(client, f"{marker}-learner"), a_course_version(client, marker))


def a_device(client: Client, marker: str) -> Device:
    return make.make_device(make.make_user(with_module(client, "delivery"), f"{marker}-owner"), name=f"{marker} phone")


def a_play_session(client: Client, marker: str) -> PlaySession:
    learner = make.make_user(client, f"{marker}-attempting")
    enrollment = make.make_enrollment(learner, a_course_version(client, marker))
    session = make.make_play_session(enrollment, reason=f"{marker} reason", completed_lessons=["les_01"])
    with binding.bound(client.id):
        session.changes.create(
            client=client, version=1, action="started", state="active", cursor=session.cursor, at=now(), author=marker
        )
    return session


def a_bundle(client: Client, marker: str) -> Bundle:
    bundle = make.make_bundle(a_course_version(client, marker), created_by=marker)
    with binding.bound(client.id), binding.atomic():
        revoke_bundle(client_id=client.id, bundle_id=bundle.pk, reason=f"{marker} reason", author=marker, now=now())
    return bundle


def a_license(client: Client, marker: str) -> License:
    user = make.make_user(client, f"{marker}-licensed")
    device = make.make_device(user, name=f"{marker} tablet", trusted=True)
    return make.make_license(make.make_bundle(a_course_version(client, marker)), device)[0]


def a_mount(client: Client, marker: str) -> Mount:
    user, version = make.make_user(client, f"{marker}-mounting"), a_course_version(client, marker)
    enrollment, bundle = make.make_enrollment(user, version), make.make_bundle(version)
    device = make.make_device(user, name=f"{marker} laptop", trusted=True)
    session = make.make_play_session(enrollment, device=device)
    return make.make_mount(session, bundle, make.make_license(bundle, device)[0])


def a_license_key(client: Client, marker: str) -> LicenseKey:
    with binding.bound(with_module(client, "delivery").id), binding.atomic():
        return rotate_license_key(client_id=client.id, algorithm="EdDSA", author=marker, now=now())


def a_sync_mutation(client: Client, marker: str) -> SyncMutation:
    user = make.make_user(with_module(client, "delivery"), f"{marker}-telling")
    return make.make_sync_mutation(user, told={"marker": marker}, problem_detail=f"{marker} detail")


def a_training_plan(client: Client, marker: str) -> TrainingPlan:
    with_module(client, "ai_training")
    user = make.make_user(client, f"{marker}-trainee", display_name=f"{marker} Trainee")
    return make.make_training_plan(user, goal=f"{marker} goal")


def a_routine_run(client: Client, marker: str) -> RoutineRun:
    with_module(client, "ai_training")
    user = make.make_user(client, f"{marker}-runner", display_name=f"{marker} Runner")
    template = make.make_template(client, name={"en": f"{marker} run"})
    return make.make_routine_run(user, make.make_instance(user, template), started_from=f"{marker}-app")


# A ModelAdmin without a maker here fails the tests: whoever registers one says how its rows are made.
MAKERS: dict[str, Callable[[Client, str], Any]] = {
    "tenants.client": a_client,
    "tenants.enduser": a_user,
    "ai_training.exercise": an_exercise,
    "ai_training.routinetemplate": a_routine,
    "ai_training.routinerun": a_routine_run,
    "ai_training.trainingplan": a_training_plan,
    "catalog.lesson": a_lesson,
    "catalog.lessonbatch": a_batch,
    "catalog.plan": a_plan,
    "plans.planplay": a_plan_play,
    "plays.lessonplay": a_play,
    "accounts.revokabletoken": a_token,
    "accounts.user": a_member_of_staff,
    "admin.logentry": an_entry,
    "delivery.bundle": a_bundle,
    "delivery.course": a_course,
    "delivery.courseversion": a_course_version,
    "delivery.device": a_device,
    "delivery.enrollment": an_enrollment,
    "delivery.license": a_license,
    "delivery.licensekey": a_license_key,
    "delivery.mount": a_mount,
    "delivery.playsession": a_play_session,
    "delivery.syncmutation": a_sync_mutation,
    "events.deadletter": a_dead_letter,
    "events.webhookendpoint": a_webhook,
    "events.webhookdelivery": a_webhook_delivery,
    "jobs.job": a_job,
    "billing.commercialpolicy": a_policy,
    "billing.creditaccount": an_account,
    "billing.creditlot": a_grant,
    "billing.ledgerentry": a_ledger_entry,
    "billing.statement": a_statement,
}


def rows_of(client: Client, marker: str) -> dict[str, Model]:
    """By model label."""
    return {label: make_row(client, marker) for label, make_row in MAKERS.items()}
