"""How does a person come by a plan, and what changes their queue? (contract 8)"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Max

from apps.ai_training import generation, states
from apps.ai_training.generation import Asked, Candidate, Selection, Wishes
from apps.ai_training.models import RoutineInstance, RoutineTemplate, RoutineTemplateVersion, TrainingPlan
from apps.ai_training.services.templates import TemplateNotFound
from apps.ai_training.services.turns import take_turn
from apps.ai_training.states import InstanceStatus, PlanStatus, TemplateStatus
from apps.events import outbox
from apps.kernel.refusals import Conflict, Detail, NotFound, Unprocessable
from apps.tenants import binding
from apps.tenants.models import Client, EndUser

# Of a plan that nobody wished for, but that an assigned routine needs to be in.
_ASSIGNED_FREQUENCY = 1


class NoEligibleTemplates(Unprocessable):
    """There is nothing that this person could be given; the answer says what was looked at, and what forbids it."""

    def __init__(self, selection: Selection) -> None:
        nothing = Detail("routineTemplates", "The client offers no published routine templates.")
        why = [Detail(each.template_id, each.message) for each in selection.excluded]
        super().__init__("No eligible routine templates", details=why or [nothing])
        self.selection = selection


class InstanceNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("Routine instance not found")


class Generated(NamedTuple):
    plan: TrainingPlan
    instances: list[RoutineInstance]


def generate_plan(*, client: Client, uid: str, asked: Asked, now: datetime, assigned_by: str = "") -> Generated:
    """A new active plan of what suits the person best, in place of the one before.

    What was still queued is cancelled; what is in progress goes on. NoEligibleTemplates leaves everything as it was.
    """
    with binding.atomic():
        person = take_turn(client.pk, uid)
        assessment = generation.assess(person.assessments)
        wishes = generation.wishes_of(asked, person.assessments.get("preferences"))
        versions = _offered(client.pk)
        selection = generation.select([candidate_of(version) for version in versions.values()], wishes, assessment)
        if not selection.chosen:
            raise NoEligibleTemplates(selection)
        _supersede(client.pk, uid, now)
        plan = TrainingPlan.objects.create(
            client=client,
            user_id=uid,
            assessment_snapshot=assessment.snapshot,
            excluded=[{"routineTemplateId": it.template_id, "rule": it.rule} for it in selection.excluded],
            created_by=assigned_by,
            created_at=now,
            **_aims(selection, wishes, versions),
        )
        first = _end_of_queue(client.pk, uid)
        instances = [
            _instance(plan, versions[chosen.candidate.template_id], first + place, now)
            for place, chosen in enumerate(selection.chosen)
        ]
        for instance, chosen in zip(instances, selection.chosen, strict=True):
            instance.rationale, instance.assigned_by = generation.rationale_of(chosen, assessment), assigned_by
        RoutineInstance.objects.bulk_create(instances)
        _record_plan(plan, instances, now)
    return Generated(plan, instances)


def assign_template(
    *, client: Client, uid: str, template_id: str, author: str, now: datetime, reason: str = ""
) -> RoutineInstance:
    """Put a template that the client offers at the end of a person's queue, whatever the rules would say of it.

    What they say stands in the rationale, and `reason` beside it. A person without a plan is given one.
    """
    with binding.atomic():
        person = take_turn(client.pk, uid)
        version = _offered(client.pk, template_id).get(template_id) or _refuse(client.pk, template_id)
        assessment = generation.assess(person.assessments)
        excluded = generation.exclusion_of(candidate_of(version), Wishes(), assessment)
        plan = TrainingPlan.objects.of_user(client.pk, uid).active().first() or _plan_around(
            person, version, now, author
        )
        instance = _instance(plan, version, _end_of_queue(client.pk, uid), now)
        instance.rationale = {
            "source": "assigned",
            "riskTier": assessment.latest_risk_tier,
            "against": excluded.rule if excluded else None,
        }
        instance.assigned_by, instance.override_reason = author, reason
        instance.save(force_insert=True)
    return instance


def defer_instance(*, client: Client, uid: str, instance_id: str, now: datetime) -> RoutineInstance:
    """Put a queued routine at the end of the queue, as often as the client allows."""
    with binding.atomic():
        take_turn(client.pk, uid)
        instance = RoutineInstance.objects.of_user(client.pk, uid).locked().filter(pk=instance_id).first()
        if instance is None:
            raise InstanceNotFound
        if instance.status != InstanceStatus.QUEUED:
            raise Conflict("Routine instance is not queued")
        if instance.defer_count >= client.defer_limit:
            raise Conflict("Defer limit reached")
        instance.queue_position = _end_of_queue(client.pk, uid)
        instance.defer_count += 1
        instance.save(update_fields=["queue_position", "defer_count"])
    return instance


def candidate_of(version: RoutineTemplateVersion) -> Candidate:
    """What the rules need to know of a version."""
    return Candidate(
        template_id=version.template_id,
        goal=version.goal,
        intensity=version.intensity,
        minutes=version.minutes,
        equipment=frozenset(version.equipment),
        risk_tiers=frozenset(version.risk_tiers),
    )


def _offered(client_id: str, *template_ids: str) -> dict[str, RoutineTemplateVersion]:
    """By template, the published versions of all that the client offers, or of these templates only."""
    templates = RoutineTemplate.objects.offered_to(client_id)
    if template_ids:
        templates = templates.filter(pk__in=template_ids)
    versions = RoutineTemplateVersion.objects.published().filter(template__in=templates.values("pk"))
    return {version.template_id: version for version in versions}


def _refuse(client_id: str, template_id: str) -> RoutineTemplateVersion:
    own = RoutineTemplate.objects.for_client(client_id).filter(pk=template_id).first()
    if own is not None and own.status != TemplateStatus.PUBLISHED:
        raise Conflict("Routine template is not published")
    raise TemplateNotFound


def _supersede(client_id: str, uid: str, now: datetime) -> None:
    for plan in TrainingPlan.objects.of_user(client_id, uid).active().locked():
        states.require(states.PLAN, "Plan", plan.status, PlanStatus.SUPERSEDED)
        plan.status, plan.superseded_at = PlanStatus.SUPERSEDED, now
        plan.save(update_fields=["status", "superseded_at"])
    RoutineInstance.objects.of_user(client_id, uid).queued().update(status=InstanceStatus.CANCELLED)


def _aims(selection: Selection, wishes: Wishes, versions: Mapping[str, RoutineTemplateVersion]) -> dict[str, Any]:
    """What the plan is for: as it was wished and, where nothing was, as the routine that suits best has it."""
    best = versions[selection.chosen[0].candidate.template_id]
    return {
        "goal": wishes.goal or best.goal,
        "intensity": wishes.intensity or best.intensity,
        "frequency": wishes.frequency,
        "preferred_session_duration_minutes": wishes.minutes or best.minutes,
        "generation_source": TrainingPlan.Source.RULES,
    }


def _plan_around(person: EndUser, version: RoutineTemplateVersion, now: datetime, author: str) -> TrainingPlan:
    plan = TrainingPlan.objects.create(
        client_id=person.client_id,
        user_id=person.uid,
        goal=version.goal,
        intensity=version.intensity,
        frequency=_ASSIGNED_FREQUENCY,
        preferred_session_duration_minutes=version.minutes,
        generation_source=TrainingPlan.Source.ASSIGNED,
        assessment_snapshot=generation.assess(person.assessments).snapshot,
        created_by=author,
        created_at=now,
    )
    _record_plan(plan, [], now)
    return plan


def _end_of_queue(client_id: str, uid: str) -> int:
    """The first place after everything that was ever in the person's queue."""
    last = RoutineInstance.objects.of_user(client_id, uid).aggregate(last=Max("queue_position"))["last"]
    return 0 if last is None else int(last) + 1


def _instance(plan: TrainingPlan, version: RoutineTemplateVersion, position: int, now: datetime) -> RoutineInstance:
    return RoutineInstance(
        client_id=plan.client_id,
        user_id=plan.user_id,
        plan=plan,
        template_id=version.template_id,
        version=version,
        queue_position=position,
        created_at=now,
    )


def _record_plan(plan: TrainingPlan, instances: Sequence[RoutineInstance], now: datetime) -> None:
    payload = {
        "userId": plan.user_id,
        "generationSource": plan.generation_source,
        "routineInstanceIds": [instance.id for instance in instances],
    }
    outbox.record(
        client_id=plan.client_id, event_type="training_plan.created", subject_id=plan.id, payload=payload, now=now
    )
