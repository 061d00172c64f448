"""What may staff decide about one routine of a person's queue, and what of that is kept? (contract 8, 11)"""

from datetime import datetime

from django.db.models import Max

from apps.ai_training import states
from apps.ai_training.models import InstanceOverride, RoutineInstance, RoutineRun
from apps.ai_training.services.plans import InstanceNotFound
from apps.ai_training.services.turns import take_turn
from apps.ai_training.states import InstanceStatus, RunStatus
from apps.events import outbox
from apps.kernel.refusals import BadRequest, Conflict, Detail
from apps.tenants import binding
from apps.tenants.models import Client

Act = InstanceOverride.Act


def override_instance(
    *, client: Client, uid: str, instance_id: str, act: str, reason: str, author: str, now: datetime
) -> InstanceOverride:
    """Move a queued routine to the front, cancel it, or skip it; what is in progress can be skipped, with its open run.

    BadRequest without a reason; Conflict in any other state. Who decided what, when and why stays in the database.
    """
    if not reason.strip():
        raise BadRequest("Invalid request", details=[Detail("reason", "Say why.")])
    with binding.atomic():
        take_turn(client.pk, uid)
        instance = RoutineInstance.objects.of_user(client.pk, uid).locked().filter(pk=instance_id).first()
        if instance is None:
            raise InstanceNotFound
        if act == Act.FRONT:
            _move_to_front(instance)
        elif act == Act.SKIP:
            _abandon_run(instance, now)
            _close(instance, InstanceStatus.SKIPPED)
        else:
            _close(instance, InstanceStatus.CANCELLED)
        made = InstanceOverride.objects.create(
            client=client, instance=instance, act=act, reason=reason.strip(), author=author, created_at=now
        )
        _record(made, uid, now)
    return made


def _move_to_front(instance: RoutineInstance) -> None:
    """Before everything that is open. All that is open moves behind what was ever used: a place belongs to one row."""
    if instance.status != InstanceStatus.QUEUED:
        raise Conflict("Routine instance is not queued")
    mine = RoutineInstance.objects.of_user(instance.client_id, instance.user_id)
    others = list(mine.open().exclude(pk=instance.pk).in_order())
    free = int(mine.aggregate(last=Max("queue_position"))["last"]) + 1
    moved = [instance, *others]
    for place, row in enumerate(moved):
        row.queue_position = free + place
    RoutineInstance.objects.bulk_update(moved, ["queue_position"])


def _abandon_run(instance: RoutineInstance, now: datetime) -> None:
    for run in RoutineRun.objects.for_client(instance.client_id).filter(instance=instance).open().locked():
        states.require(states.RUN, "Routine run", run.status, RunStatus.ABANDONED)
        # Two servers' clocks can disagree; a run never ends before it began.
        run.status, run.ended_at = RunStatus.ABANDONED, max(now, run.created_at)
        run.save(update_fields=["status", "ended_at"])


def _close(instance: RoutineInstance, status: InstanceStatus) -> None:
    states.require(states.INSTANCE, "Routine instance", instance.status, status)
    instance.status = status
    instance.save(update_fields=["status"])


def _record(made: InstanceOverride, uid: str, now: datetime) -> None:
    payload = {"userId": uid, "act": made.act, "reason": made.reason, "author": made.author}
    outbox.record(
        client_id=made.client_id,
        event_type="routine_instance.overridden",
        subject_id=made.instance_id,
        payload=payload,
        now=now,
    )
