"""How the rooms are wired into one product."""

# `celery -A gofa` finds the app here; and every process that sends a hint needs it to be the default one.
from gofa.celery import app as celery_app

__all__ = ["celery_app"]
