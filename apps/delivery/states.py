"""What can become of a play session? (004, contract 9)

active ⇄ paused; active or paused → completed, abandoned or failed, which it then stays.
"""

from django.db import models
from django.utils.translation import pgettext_lazy


class SessionState(models.TextChoices):
    ACTIVE = "active", pgettext_lazy("play session", "Active")
    PAUSED = "paused", pgettext_lazy("play session", "Paused")
    COMPLETED = "completed", pgettext_lazy("play session", "Completed")
    FAILED = "failed", pgettext_lazy("play session", "Failed")
    ABANDONED = "abandoned", pgettext_lazy("play session", "Abandoned")


LIVE = (SessionState.ACTIVE, SessionState.PAUSED)
TERMINAL = (SessionState.COMPLETED, SessionState.FAILED, SessionState.ABANDONED)


class SessionAction(models.TextChoices):
    """What was done to a session."""

    STARTED = "started", pgettext_lazy("play session", "Started")
    NAVIGATED = "navigated", pgettext_lazy("play session", "Navigated")
    PROGRESSED = "progressed", pgettext_lazy("play session", "Progressed")
    PAUSED = "paused", pgettext_lazy("play session", "Paused")
    RESUMED = "resumed", pgettext_lazy("play session", "Resumed")
    COMPLETED = "completed", pgettext_lazy("play session", "Completed")
    ABANDONED = "abandoned", pgettext_lazy("play session", "Abandoned")
    FAILED = "failed", pgettext_lazy("play session", "Failed")
    MOUNTED = "mounted", pgettext_lazy("play session", "Bundle mounted")
    UNMOUNTED = "unmounted", pgettext_lazy("play session", "Bundle unmounted")
    SYNCED = "synced", pgettext_lazy("play session", "Synchronised")


# What others are told as `delivery.play_session.<action>.v1`.
TOLD_ACTIONS = frozenset(SessionAction) - {
    SessionAction.PROGRESSED,
    SessionAction.MOUNTED,
    SessionAction.UNMOUNTED,
    SessionAction.SYNCED,
}
