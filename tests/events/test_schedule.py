"""The schedule names tasks that there are, and goes on after a clock that was wrong."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from celery.beat import SchedulingError

from apps.api import valkey
from apps.events import hints
from gofa import celery_app
from gofa.celery import Every, Scheduler, shorten


def test_every_line_of_the_schedule_is_a_task() -> None:
    celery_app.loader.import_default_modules()
    assert {line["task"] for line in celery_app.conf.beat_schedule.values()} <= set(celery_app.tasks)


def test_a_line_is_due_when_its_period_is_over_and_not_before() -> None:
    every = Every(timedelta(hours=1), app=celery_app)
    assert every.is_due(every.now() - timedelta(hours=2)).is_due
    assert not every.is_due(every.now() - timedelta(minutes=30)).is_due


def test_a_last_run_in_the_future_does_not_stop_the_schedule() -> None:
    every = Every(timedelta(hours=1), app=celery_app)
    assert every.is_due(every.now() + timedelta(days=1)) == (True, 3600)


def test_beat_says_in_one_line_that_the_broker_is_away() -> None:
    error = SchedulingError("Couldn't apply scheduled task")
    record = logging.makeLogRecord({"msg": "Message Error: %s\n%s", "args": (error, ["stack"]), "exc_info": True})
    assert shorten(record)
    assert (record.getMessage(), record.exc_info) == ("Couldn't apply scheduled task", None)


@pytest.mark.parametrize(("task", "queue"), [("apps.events.tasks.drain", "celery"), ("apps.jobs.tasks.work", "jobs")])
def test_a_queue_that_nobody_empties_is_told_nothing_more(task: str, queue: str, tmp_path: Path) -> None:
    scheduler = Scheduler(celery_app, schedule_filename=str(tmp_path / "schedule"))
    entry = next(entry for entry in scheduler.schedule.values() if entry.task == task)
    scheduler.apply_async(entry)
    assert valkey.client().llen(queue) == 1
    valkey.client().rpush(queue, *["a hint"] * hints.ENOUGH)
    scheduler.apply_async(entry)
    assert valkey.client().llen(queue) == hints.ENOUGH + 1
    scheduler.close()
