"""What may the world be told of lesson plays? (contract 12, webhooks)"""

from apps.events.event_types import announces

announces("lesson_play.created", "lesson_play.completed")
