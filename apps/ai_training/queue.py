"""What stands in a person's queue, and at which place? (003, contract 8)"""

from collections.abc import Iterable

from apps.ai_training.models import RoutineInstance
from apps.ai_training.states import InstanceStatus


def queue_of(client_id: str, uid: str, *, allow_duplicates: bool = False) -> list[RoutineInstance]:
    """The person's queued and in-progress instances in order, each with its version.

    Without duplicates a template appears once: in progress, or else where it comes first.
    """
    rows = RoutineInstance.objects.of_user(client_id, uid).open().in_order().select_related("version")
    return list(rows) if allow_duplicates else deduplicated(rows)


def deduplicated(instances: Iterable[RoutineInstance]) -> list[RoutineInstance]:
    """One of each template, in the order given."""
    in_order = list(instances)
    kept: dict[str, RoutineInstance] = {}
    for instance in in_order:
        known = kept.get(instance.template_id)
        if known is None or _is_running(instance) > _is_running(known):
            kept[instance.template_id] = instance
    return [instance for instance in in_order if kept[instance.template_id] is instance]


def _is_running(instance: RoutineInstance) -> bool:
    return instance.status == InstanceStatus.IN_PROGRESS
