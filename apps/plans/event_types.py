"""What may the world be told of plan plays? (contract 12, webhooks)"""

from apps.events.event_types import announces

announces("plan_play.created", "plan_play.started", "plan_play.ended")
