"""How does the demo get into the database? Row by row, each found again by its name, so that it can be repeated."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password

from apps.accounts.models import Administration, User
from apps.accounts.principal import Principal, Role
from apps.catalog import search, webvtt
from apps.catalog.models import Lesson, LessonSession, Plan, PlanLesson, ShelfEntry
from apps.kernel.clock import now
from apps.ops import demo_staff
from apps.ops.demo.bundles import seed_bundles
from apps.ops.demo.courses import seed_courses
from apps.ops.demo.lessons import CLIENTS, LESSONS, PEOPLE, PLANS, DemoLesson, DemoPerson, DemoPlan
from apps.ops.demo.training import seed_training
from apps.plays import services as plays
from apps.plays.models import LessonPlay
from apps.tenants import binding, registry
from apps.tenants.models import LIBRARY_CLIENT_ID, MODULES, Client, EndUser

BY = "seed_demo"
# What each person of the demo has played before: how many days ago, and how well.
HISTORY = ((12, 0.58), (9, 0.66), (6, 0.71), (3, 0.83), (1, 0.9))


def seed() -> None:
    """Clients, people, staff, lessons, plans, plays, training, courses, bundles.

    What was changed in them since is set back, but for what people did and were given to do.
    """
    seed_clients()
    seed_staff()
    for person in PEOPLE:
        seed_person(person)
    # The library first: the other clients' shelves refer to it.
    for lesson in sorted(LESSONS, key=lambda lesson: lesson.client != LIBRARY_CLIENT_ID):
        seed_lesson(lesson)
    for client in CLIENTS:
        with binding.bound(client.slug):
            search.reindex(client.slug)
    for plan in PLANS:
        seed_plan(plan)
    for person in PEOPLE:
        seed_plays(person)
    seed_training()
    seed_courses()
    seed_bundles()


def seed_clients() -> None:
    for client in CLIENTS:
        Client.objects.update_or_create(
            pk=client.slug,
            defaults={
                "name": client.name,
                "time_zone": client.time_zone,
                "default_locale": client.default_locale,
                "membership_tiers": list(client.tiers),
                "modules": list(MODULES),
                "self_registration": client.slug == "demo",
            },
        )
    registry.forget()


def seed_staff() -> None:
    """`platform` for all clients, `demo-admin` and `acme-admin` for their own; one password for the three.

    Warnings and statements are written to them.
    """
    password = demo_staff.password()
    hashed = make_password(password)
    for username in demo_staff.USERNAMES:
        client_id = username.removesuffix("-admin")
        user, is_new = User.objects.get_or_create(
            username=username,
            defaults={
                "is_platform": username == "platform",
                "email": f"staff@{client_id}.example",
                "password": hashed,
            },
        )
        if not is_new and not user.check_password(password):
            user.password = hashed
            user.save(update_fields=["password"])
        if not user.is_platform:
            with binding.bound(client_id):
                Administration.objects.get_or_create(user=user, client_id=client_id)


def seed_person(person: DemoPerson) -> None:
    with binding.bound(person.client):
        EndUser.objects.update_or_create(
            client_id=person.client,
            uid=person.uid,
            defaults={
                "email": person.email,
                "display_name": person.display_name,
                "membership_tier": person.membership_tier,
                "weight_kg": person.weight_kg,
                "locale": person.locale,
                "risk_level": person.risk_level,
                "assessments": dict(person.assessments),
            },
        )


def seed_lesson(demo: DemoLesson) -> None:
    with binding.bound(demo.client), binding.atomic():
        lesson, _ = Lesson.objects.update_or_create(pk=demo.id, client_id=demo.client, defaults=_columns(demo))
        lesson.sessions.all().delete()
        LessonSession.objects.bulk_create(_timeline(demo))
        lesson.subtitles.all().delete()
        for locale, text in _spoken(demo):
            search.index_subtitle(lesson, locale, [text])
    for client_id in (demo.client, *demo.shelves):
        with binding.bound(client_id):
            ShelfEntry.objects.update_or_create(
                client_id=client_id,
                lesson_id=demo.id,
                defaults={"is_live": demo.is_live, "membership_tiers": list(demo.membership_tiers)},
            )


def _columns(demo: DemoLesson) -> dict[str, object]:
    return {
        "title": dict(demo.title),
        "description": dict(demo.description),
        "duration": demo.duration,
        "met": demo.met,
        "algorithm": demo.algorithm,
        "intensity": demo.intensity,
        "categories": list(demo.categories),
        "areas": list(demo.areas),
        "equipment": list(demo.equipment),
        "styles": list(demo.styles),
        "goals": list(demo.goals),
        "trainers": list(demo.trainers),
        "video_urls": [demo.video_url],
        "image_url": demo.poster_url,
        "thumb_image_url": demo.thumb_url,
        "subtitle_url": dict(demo.subtitle_urls),
        "required_warmup": demo.required_warmup,
        "required_cooldown": demo.required_cooldown,
        "created_by": BY,
        "modified_by": BY,
    }


def _timeline(demo: DemoLesson) -> Iterator[LessonSession]:
    for session in demo.sessions:
        yield LessonSession(
            client_id=demo.client,
            lesson_id=demo.id,
            title=dict(session.title),
            category=session.category,
            start_seconds=session.start,
            end_seconds=session.end,
            rep_pose_id=session.rep_pose_id or "",
            target_rep_count=session.target_rep_count,
        )


def _spoken(demo: DemoLesson) -> Iterator[tuple[str, str]]:
    """What the film's subtitles say, by locale; they are files of the product, which no job has to look into."""
    for locale, address in demo.subtitle_urls.items():
        file = settings.BASE_DIR / address.removeprefix("/")
        yield locale, webvtt.parse(file.read_bytes()).text


def seed_plan(demo: DemoPlan) -> None:
    moment = now()
    columns = {
        "title": dict(demo.title),
        "description": dict(demo.description),
        "status": demo.status,
        "risk_level": demo.risk_level,
        "modified_by": BY,
        "modified_at": moment,
    }
    first = {**columns, "created_by": BY, "created_at": moment}
    with binding.bound(demo.client), binding.atomic():
        plan, _ = Plan.objects.update_or_create(
            pk=demo.id, client_id=demo.client, defaults=columns, create_defaults=first
        )
        plan.places.all().delete()
        PlanLesson.objects.bulk_create(
            PlanLesson(client_id=demo.client, plan=plan, position=position, lesson_id=lesson_id)
            for position, lesson_id in enumerate(demo.lessons)
        )


def seed_plays(person: DemoPerson) -> None:
    """A few weeks of training; only for somebody who has none yet."""
    client = Client.objects.get(pk=person.client)
    with binding.bound(person.client):
        if LessonPlay.objects.for_client(person.client).filter(user_id=person.uid).exists():
            return
        lessons = Lesson.objects.live_for(person.client, tier=person.membership_tier).order_by("id")
        for (days, share), lesson in zip(HISTORY, lessons, strict=False):
            with binding.atomic():
                _play(person, client, lesson, begun=now() - timedelta(days=days), share=share)


def _play(person: DemoPerson, client: Client, lesson: Lesson, *, begun: datetime, share: float) -> None:
    """Through the same services as everybody's plays; `share` says how well it went."""
    principal = Principal(Role.END_USER, client.id, person.uid)
    new = plays.NewPlay(
        lesson_id=lesson.id, locale=person.locale, skip_warm_up=False, skip_cool_down=False, skip_calibration=False
    )
    play = plays.create_lesson_play(principal=principal, client=client, new=new, now=begun)
    plays.report_progress(
        principal=principal,
        client=client,
        play_id=play.id,
        progress={"completed": True, "activity_time": lesson.duration * share, "sessions": _reports(lesson, share)},
        now=begun + timedelta(seconds=lesson.duration),
    )


def _reports(lesson: Lesson, share: float) -> list[plays.SessionReport]:
    reports: list[plays.SessionReport] = []
    for index, session in enumerate(lesson.sessions.order_by("start_seconds")):
        report = plays.SessionReport(index=index, engagement_level=share, pose_similarity=round(share * 0.95, 2))
        if session.target_rep_count:
            report["rep_count"] = round(session.target_rep_count * share)
            report["target_rep_count"] = session.target_rep_count
        reports.append(report)
    return reports
