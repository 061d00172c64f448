"""What do staff see of events? What was given up, and who outside of this house is told."""

from apps.events.admin import dead_letters, webhooks

__all__ = ["dead_letters", "webhooks"]
