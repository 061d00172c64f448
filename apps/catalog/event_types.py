"""What may the world be told of a client's catalogue? (contract 12, webhooks)"""

from apps.events.event_types import announces

announces("lesson.created", "lesson.updated", "plan.created", "plan.updated", "catalog.changed")
