"""What stands on a client's shelf, who changes it, and how is a change taken back? (002; contract 4)"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from apps.catalog.models import CatalogChange, Lesson, Plan, PlanLesson, ShelfEntry
from apps.catalog.services.announcements import announce_change
from apps.catalog.services.conflicts import clear_plans, named
from apps.catalog.services.turns import take_turn
from apps.kernel.refusals import BadRequest, Conflict, Detail, NotFound
from apps.tenants import binding
from apps.tenants.models import Client

# Rows a statement: a row has four values, and a statement of PostgreSQL takes 65,535.
_BATCH = 10_000


class Place(TypedDict):
    """How a lesson stands on a shelf."""

    is_live: bool
    membership_tiers: list[str]


# By lesson id; None where a lesson has no place yet, which is as dark as it can be.
Places = Mapping[str, Place | None]


class TierUpdate(TypedDict):
    lesson_id: str
    membership_tiers: list[str]


class Rearranged(TypedDict):
    """One side of a change, as CatalogChange keeps it."""

    shelf: dict[str, Place | None]
    plans: dict[str, str]


class ChangedSince(Conflict):
    """What a change did is no longer what is there: taking it back would undo somebody else's work."""

    def __init__(self, rows: list[dict[str, object]]) -> None:
        super().__init__("This has been changed since, and cannot be taken back", extra={"changed": rows})


def update_catalog(
    *,
    client: Client,
    live_lesson_ids: Sequence[str] | None,
    tier_updates: Sequence[TierUpdate],
    force: bool,
    author: str,
    now: datetime,
) -> CatalogChange | None:
    """`live_lesson_ids` is the complete list: whatever it does not name goes dark. None when nothing changed.

    BadRequest names what is unknown, archived, or given two sets of tiers; PlansInConflict unless `force`.
    """
    with binding.atomic():
        client = take_turn(client.id)
        _check_catalog(client, live_lesson_ids or (), tier_updates)
        before = places_of(client.id)
        after = dict(before)
        for update in tier_updates:
            place = after.get(update["lesson_id"]) or first_place(client)
            after[update["lesson_id"]] = {**place, "membership_tiers": distinct(update["membership_tiers"])}
        if live_lesson_ids is not None:
            live = set(live_lesson_ids)
            for lesson_id in live | before.keys():
                after[lesson_id] = {**(after.get(lesson_id) or first_place(client)), "is_live": lesson_id in live}
        return _change(client, before, after, force=force, author=author, now=now)


def change_shelf(
    *,
    client: Client,
    lesson_ids: Sequence[str],
    is_live: bool | None = None,
    membership_tiers: list[str] | None = None,
    add_tiers: Sequence[str] = (),
    remove_tiers: Collection[str] = (),
    force: bool = False,
    author: str,
    now: datetime,
) -> CatalogChange | None:
    """Of these lessons only: shown or hidden, and for which tiers. None when nothing changed."""
    with binding.atomic():
        client = take_turn(client.id)
        problems = _lesson_problems(client, lesson_ids, "lessonIds", live=is_live is True)
        problems += unknown_tiers(client, membership_tiers or (), "membershipTiers")
        problems += unknown_tiers(client, add_tiers, "addTiers")
        if problems:
            raise BadRequest("Invalid request", details=problems)
        before = places_of(client.id, lesson_ids)
        after = dict(before)
        for lesson_id in lesson_ids:
            place = before.get(lesson_id) or first_place(client)
            tiers = place["membership_tiers"] if membership_tiers is None else membership_tiers
            tiers = [tier for tier in distinct([*tiers, *add_tiers]) if tier not in remove_tiers]
            after[lesson_id] = {"is_live": place["is_live"] if is_live is None else is_live, "membership_tiers": tiers}
        return _change(client, before, after, force=force, author=author, now=now)


def undo_change(*, client: Client, change_id: str, author: str, now: datetime) -> CatalogChange:
    """Put back what a change found: all of it or, where any of it has been changed since, nothing (ChangedSince).

    Plans that it turned off are live again if all of their lessons are. PlansInConflict, if a plan went live since
    that holds a lesson which would be dark again.
    """
    with binding.atomic():
        client = take_turn(client.id)
        change = CatalogChange.objects.for_client(client.id).filter(pk=change_id).first()
        if change is None:
            raise NotFound("Change not found")
        if change.undone_at is not None:
            raise Conflict("This change has been taken back already")
        _check_unchanged(client, change)
        after: dict[str, Place | None] = change.before["shelf"]
        before = places_of(client.id, after)
        rearrange(client=client, before=before, after=after, force=False, author=author, now=now)
        _revive(change.before["plans"], client.id, author, now)
        change.undone_by, change.undone_at = author, now
        change.save(update_fields=["undone_by", "undone_at"])
        announce_change(change, author=author, now=now)
    return change


def rearrange(
    *, client: Client, before: Places, after: Places, force: bool, author: str, now: datetime
) -> tuple[Rearranged, Rearranged]:
    """Have the shelf be as in `after`, and the plans as that demands; what was, and what is, of all that changed."""
    changed = {lesson_id: place for lesson_id, place in after.items() if place != before.get(lesson_id)}
    dark = [
        lesson_id for lesson_id, place in changed.items() if _is_live(before.get(lesson_id)) and not _is_live(place)
    ]
    plans = clear_plans(client_id=client.id, lesson_ids=dark, force=force, author=author, now=now)
    _write(client.id, changed)
    return (
        {
            "shelf": {lesson_id: before.get(lesson_id) for lesson_id in changed},
            "plans": {plan.id: Plan.Status.LIVE for plan in plans},
        },
        {"shelf": changed, "plans": {plan.id: Plan.Status.OFF for plan in plans}},
    )


def places_of(client_id: str, lesson_ids: Iterable[str] | None = None) -> dict[str, Place | None]:
    """What stands on the shelf, of these lessons or of all."""
    entries = ShelfEntry.objects.for_client(client_id)
    if lesson_ids is not None:
        entries = entries.filter(lesson_id__in=list(lesson_ids))
    rows = entries.values_list("lesson_id", "is_live", "membership_tiers")
    return {lesson_id: {"is_live": is_live, "membership_tiers": tiers} for lesson_id, is_live, tiers in rows}


def first_place(client: Client) -> Place:
    """Where a lesson begins: dark, and for all of the client's tiers."""
    return {"is_live": False, "membership_tiers": list(client.membership_tiers)}


def distinct(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def unknown_tiers(client: Client, tiers: Sequence[str], path: str) -> list[Detail]:
    return [
        Detail(f"{path}.{index}", f'There is no tier "{tier}".')
        for index, tier in enumerate(tiers)
        if tier not in client.membership_tiers
    ]


def _check_catalog(client: Client, live: Sequence[str], updates: Sequence[TierUpdate]) -> None:
    problems = _lesson_problems(client, live, "liveLessonIds", live=True)
    tiered = [update["lesson_id"] for update in updates]
    problems += _lesson_problems(client, tiered, "lessonTierUpdates", suffix=".lessonId")
    seen: set[str] = set()
    for index, update in enumerate(updates):
        path = f"lessonTierUpdates.{index}"
        if update["lesson_id"] in seen:
            problems.append(Detail(f"{path}.lessonId", f"The lesson {update['lesson_id']} is given tiers twice."))
        seen.add(update["lesson_id"])
        problems += unknown_tiers(client, update["membership_tiers"], f"{path}.membershipTiers")
    if problems:
        raise BadRequest("Invalid request", details=problems)


def _lesson_problems(
    client: Client, lesson_ids: Sequence[str], path: str, *, suffix: str = "", live: bool = False
) -> list[Detail]:
    """Lessons that the client does not have, and those that can no longer be made `live`."""
    if not lesson_ids:
        return []
    rows = Lesson.objects.selectable_by(client.id).filter(pk__in=set(lesson_ids))
    statuses = dict(rows.values_list("pk", "status"))
    problems = []
    for index, lesson_id in enumerate(lesson_ids):
        if lesson_id not in statuses:
            problems.append(Detail(f"{path}.{index}{suffix}", f"There is no lesson {lesson_id}."))
        elif live and statuses[lesson_id] != Lesson.Status.ACTIVE:
            problems.append(Detail(f"{path}.{index}{suffix}", f"The lesson {lesson_id} is archived."))
    return problems


def _change(
    client: Client, before: Places, after: Places, *, force: bool, author: str, now: datetime
) -> CatalogChange | None:
    was, becomes = rearrange(client=client, before=before, after=after, force=force, author=author, now=now)
    if not becomes["shelf"]:
        return None
    change = CatalogChange.objects.create(client=client, before=was, after=becomes, author=author, created_at=now)
    announce_change(change, author=author, now=now)
    return change


def _is_live(place: Place | None) -> bool:
    return place is not None and place["is_live"]


def _write(client_id: str, places: Places) -> None:
    """However many, in a statement or two."""
    gone = [lesson_id for lesson_id, place in places.items() if place is None]
    if gone:
        ShelfEntry.objects.for_client(client_id).filter(lesson_id__in=gone).delete()
    rows = [ShelfEntry(client_id=client_id, lesson_id=key, **place) for key, place in places.items() if place]
    ShelfEntry.objects.bulk_create(
        rows,
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["client", "lesson"],
        update_fields=["is_live", "membership_tiers"],
    )


def _check_unchanged(client: Client, change: CatalogChange) -> None:
    """All that the change touched is as it left it, and what would be live again has not been archived since."""
    shelf, plans = change.after["shelf"], change.after["plans"]
    now_there = places_of(client.id, shelf)
    lessons = {lesson.id: lesson for lesson in Lesson.objects.filter(pk__in=list(shelf))}
    shown_again = {lesson_id for lesson_id, place in change.before["shelf"].items() if _is_live(place)}
    changed: list[dict[str, object]] = []
    for lesson_id, place in shelf.items():
        lesson = lessons.get(lesson_id)
        withdrawn = lesson is None or (lesson_id in shown_again and lesson.status != Lesson.Status.ACTIVE)
        if withdrawn or now_there.get(lesson_id) != place:
            changed += named([lesson]) if lesson else [{"id": lesson_id, "title": {}}]
    held = {plan.id: plan for plan in Plan.objects.for_client(client.id).filter(pk__in=list(plans))}
    changed += named([plan for plan in held.values() if plan.status != plans[plan.id]])
    if changed:
        raise ChangedSince(changed)


def _revive(plans: Mapping[str, str], client_id: str, author: str, now: datetime) -> None:
    """Have these plans live again whose lessons all are; the others were given a dark one meanwhile, and stay off."""
    if not plans:
        return
    live = Lesson.objects.live_for(client_id).values("pk")
    dark = PlanLesson.objects.for_client(client_id).filter(plan_id__in=list(plans)).exclude(lesson_id__in=live)
    rows = Plan.objects.for_client(client_id).filter(pk__in=list(plans)).exclude(pk__in=dark.values("plan_id"))
    rows.update(status=Plan.Status.LIVE, modified_by=author, modified_at=now)
