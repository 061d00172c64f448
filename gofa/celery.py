"""How do workers work, and what is done when? The Celery app, and the schedule as data.

The broker is only a hint that makes things fast: what must not be lost is in the outbox and among the jobs. A worker is
`celery -A gofa worker`, with prefork processes and not threads: a handler that hangs can be killed, and one that
crashes or eats memory takes its own process alone with it. What takes long has its own workers, `--queues jobs` and
`--queues webhooks`, so that no event waits behind it. The clock is `celery -A gofa beat`; a second one does no harm.
"""

import logging
import os
from datetime import datetime, timedelta
from typing import Any

import structlog
from celery import Celery, signals
from celery.app.task import Task
from celery.beat import PersistentScheduler, ScheduleEntry, SchedulingError
from celery.schedules import schedstate, schedule

from apps.events import hints

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gofa.settings")


class Every(schedule):
    """Once in a period. A run in the future, of a clock that was ahead when beat last ran, does not stop the next."""

    def is_due(self, last_run_at: datetime) -> schedstate:
        if self.maybe_make_aware(last_run_at) > self.maybe_make_aware(self.now()):
            return schedstate(is_due=True, next=self.seconds)
        return schedstate(*super().is_due(last_run_at))


class Scheduler(PersistentScheduler):
    """Says nothing to a queue that nobody empties: every line of the schedule comes again."""

    def apply_async(self, entry: ScheduleEntry, *args: Any, **kwargs: Any) -> Any:
        if hints.is_long((entry.options or {}).get("queue", "celery")):
            return None
        return super().apply_async(entry, *args, **kwargs)


def every(task: str, *, queue: str = "celery", **period: float) -> dict[str, Any]:
    """A line of the schedule. It does not expire: to a worker whose clock is ahead, it always would have."""
    return {"task": task, "schedule": Every(timedelta(**period)), "options": {"queue": queue}}


SCHEDULE = {
    "deliver events": every("apps.events.tasks.drain", seconds=2),
    "give back events of dead workers": every("apps.events.tasks.sweep", seconds=10),
    "tell webhooks": every("apps.events.tasks.send_webhooks", queue="webhooks", seconds=2),
    "tidy webhook deliveries": every("apps.events.tasks.tidy_webhooks", minutes=10),
    "do jobs": every("apps.jobs.tasks.work", queue="jobs", seconds=2),
    "give back jobs of dead workers": every("apps.jobs.tasks.sweep", seconds=10),
    "fold metered calls": every("apps.billing.tasks.fold_metered_calls", seconds=5),
    "book expired credits": every("apps.billing.tasks.book_expiries", seconds=10),
    "warn of quotas and balances": every("apps.billing.tasks.warn", seconds=15),
    "roll usage up": every("apps.billing.tasks.roll_up_usage", minutes=2),
    "make statements": every("apps.billing.tasks.make_statements", minutes=10),
    "purge folds of metered calls": every("apps.billing.tasks.purge_folds", hours=1),
    "verify the ledger": every("apps.billing.tasks.verify_ledger", hours=24),
    "fail sessions of revoked enrollments": every(
        "apps.delivery.tasks.fail_sessions_of_revoked_enrollments", minutes=1
    ),
    "end questions that nobody answers": every("apps.delivery.tasks.end_forgotten_tutor_turns", minutes=1),
    "purge finished jobs": every("apps.jobs.tasks.purge", hours=1),
    "purge delivered events": every("apps.events.tasks.purge", minutes=10),
    "purge media that no row names": every("apps.catalog.tasks.purge_media", hours=24),
    "purge bundles that no row names": every("apps.delivery.tasks.purge_bundles", hours=24),
    "purge stored responses": every("apps.api.tasks.purge_stored_responses", minutes=10),
    "purge spent tokens": every("apps.accounts.tasks.purge_spent_tokens", hours=1),
}


def configuration() -> dict[str, Any]:
    """Called when the first value is needed, because the settings cannot be read while they are being imported."""
    from django.conf import settings

    return {
        "broker_url": settings.CELERY_BROKER_URL,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            # A broker that no longer answers is noticed in seconds. Sending tries twice, then gives up.
            "socket_timeout": 5,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
            "health_check_interval": 5,
            "max_retries": 1,
            "interval_start": 0,
            "interval_max": 0.2,
            # Longer than any task may run: what is not acknowledged by then belonged to a worker that died.
            "visibility_timeout": 2 * settings.TASK_SECONDS,
        },
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_time_limit": settings.TASK_SECONDS,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "worker_pool": "prefork",
        "worker_concurrency": settings.WORKER_PROCESSES,
        "worker_prefetch_multiplier": 1,
        "worker_max_memory_per_child": 300_000,  # KiB: then a fresh process takes its place
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # what they do, they do once
        "worker_redirect_stdouts": False,
        "beat_scheduler": "gofa.celery:Scheduler",
        "beat_schedule": SCHEDULE,
        "beat_schedule_filename": str(settings.DATA_DIR / "schedule"),
        "timezone": "UTC",
    }


app = Celery("gofa")
app.add_defaults(configuration)
# Not only of this thread: hints are sent by others.
app.set_default()
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Django has set it up; that somebody listens here keeps Celery from doing so too."""
    # What comes every two seconds says nothing.
    for name in ("celery.worker.strategy", "celery.app.trace", "celery.beat"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("celery.beat").addFilter(shorten)


def shorten(record: logging.LogRecord) -> bool:
    """While the broker is away, beat says so every two seconds: once each, without the stack it came by."""
    if isinstance(record.args, tuple) and record.args and isinstance(record.args[0], SchedulingError):
        record.msg, record.args, record.exc_info = "%s", record.args[:1], None
    return True


@signals.task_prerun.connect
def name_task_in_logs(task_id: str, task: "Task[Any, Any]", **_: object) -> None:
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task=task.name, task_id=task_id)
