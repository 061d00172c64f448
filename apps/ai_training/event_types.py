"""What may the world be told of somebody's training? (contract 12, webhooks)"""

from apps.events.event_types import announces

announces("training_plan.created", "routine_instance.overridden", "routine_run.created", "routine_run.completed")
