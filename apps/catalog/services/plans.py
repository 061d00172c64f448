"""What changes a plan, and when may it be live? (contract 4, 6, 12)"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict, cast

from apps.catalog.addresses import unsigned
from apps.catalog.models import Lesson, Plan, PlanLesson
from apps.catalog.services.announcements import announce_created, announce_updated
from apps.catalog.services.conflicts import named
from apps.catalog.services.files import foreign_files
from apps.catalog.services.turns import take_turn
from apps.kernel.localized import Localized, merge
from apps.kernel.refusals import BadRequest, Conflict, Detail, NotFound
from apps.tenants import binding
from apps.tenants.models import Client


class PlanFields(TypedDict, total=False):
    """What an administrator may say of a plan; `risk_level` and `image_url` are empty for none."""

    title: Localized
    description: Localized
    lesson_ids: list[str]
    status: str
    risk_level: str
    image_url: str


class LessonsNotLive(Conflict):
    """A live plan would hold lessons that are not live; the answer names them, `lessons` are they."""

    def __init__(self, lessons: Sequence[Lesson]) -> None:
        super().__init__("A plan is live only while all its lessons are live", extra={"conflicts": named(lessons)})
        self.lessons = tuple(lessons)


def create_plan(*, client: Client, fields: PlanFields, author: str, now: datetime) -> Plan:
    """A new plan of this client, a draft unless said otherwise. BadRequest names each lesson that it cannot hold."""
    with binding.atomic():
        client = take_turn(client.id)
        fields = _checked(client, fields)
        columns = {name: value for name, value in fields.items() if name != "lesson_ids"}
        plan = Plan(client=client, created_by=author, created_at=now, modified_by=author, modified_at=now, **columns)
        _check_live(plan, fields.get("lesson_ids", []))
        plan.save(force_insert=True)
        _place(plan, fields.get("lesson_ids", []))
        announce_created(plan, author=author, now=now)
    return plan


def update_plan(
    *, client: Client, plan_id: str, fields: PlanFields, author: str, now: datetime, merging: bool = False
) -> Plan:
    """What is given changes, the rest stays. A text is replaced or, with `merging`, changed in the languages given.

    LessonsNotLive, if the plan would be live and one of its lessons is not.
    """
    with binding.atomic():
        client = take_turn(client.id)
        plan = Plan.objects.for_client(client.id).locked().filter(pk=plan_id).first()
        if plan is None:
            raise NotFound("Plan not found")
        places = plan.places.order_by("position").values_list("lesson_id", flat=True)
        stored = list(places)
        fields = _checked(client, fields, stored)
        for name, value in fields.items():
            if name != "lesson_ids":
                is_text = merging and name in ("title", "description")
                setattr(plan, name, merge(getattr(plan, name), cast(Localized, value)) if is_text else value)
        lesson_ids = fields.get("lesson_ids", stored)
        _check_live(plan, lesson_ids)
        plan.modified_by, plan.modified_at = author, now
        plan.save()
        if lesson_ids != stored:
            plan.places.all().delete()
            _place(plan, lesson_ids)
        announce_updated(plan, fields, author=author, now=now)
    return plan


def _checked(client: Client, fields: PlanFields, stored: Sequence[str] = ()) -> PlanFields:
    """As it may be stored. Lessons that the plan holds already may stay, whatever has become of them."""
    given: dict[str, Any] = {**fields}
    problems: list[Detail] = []
    wanted = set(given.get("lesson_ids", ())) - set(stored)
    known = set(Lesson.objects.selectable_by(client.id).filter(pk__in=wanted).values_list("pk", flat=True))
    for index, lesson_id in enumerate(given.get("lesson_ids", ())):
        if lesson_id in wanted - known:
            problems.append(Detail(f"lessonIds.{index}", f"There is no lesson {lesson_id}."))
    if "image_url" in given:
        problems += foreign_files(client, [("imageUrl", given["image_url"])])
        given["image_url"] = unsigned(given["image_url"])
    if problems:
        raise BadRequest("Invalid request", details=problems)
    return cast(PlanFields, given)


def _check_live(plan: Plan, lesson_ids: Sequence[str]) -> None:
    if plan.status != Plan.Status.LIVE:
        return
    live = Lesson.objects.live_for(plan.client_id).values("pk")
    dark = list(Lesson.objects.filter(pk__in=set(lesson_ids)).exclude(pk__in=live).order_by("pk"))
    if dark:
        raise LessonsNotLive(dark)


def _place(plan: Plan, lesson_ids: Sequence[str]) -> None:
    PlanLesson.objects.bulk_create(
        PlanLesson(client_id=plan.client_id, plan=plan, lesson_id=lesson_id, position=position)
        for position, lesson_id in enumerate(lesson_ids)
    )
