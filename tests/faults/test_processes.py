"""Processes die under load: the web's, the worker's, PostgreSQL's own."""

import random
import time

from tests.faults.load import Load
from tests.faults.stage import LONG, Stage

ROUNDS = 8 if LONG else 1


def pause(rng: random.Random) -> None:
    time.sleep(rng.uniform(0, 0.5))


def test_one_web_process_is_killed(stage: Stage, load: Load, rng: random.Random) -> None:
    with load:
        for _ in range(ROUNDS):
            load.goes_on()
            pause(rng)
            stage.kill("apps.ops.web", most=1)
        load.goes_on()
    stage.assert_promises_kept(load)
    assert load.server_errors == 0


def test_all_web_processes_are_killed(stage: Stage, load: Load, rng: random.Random) -> None:
    with load:
        for _ in range(ROUNDS):
            load.goes_on()
            pause(rng)
            stage.kill("apps.ops.web")
        load.goes_on()
    stage.assert_promises_kept(load)
    assert load.server_errors == 0


def test_the_worker_is_killed(stage: Stage, load: Load, rng: random.Random) -> None:
    with load:
        for _ in range(ROUNDS):
            load.goes_on()
            pause(rng)
            stage.kill("worker@gofa")
        load.goes_on()
    stage.assert_promises_kept(load)
    assert load.server_errors == 0


def test_postgresql_is_killed(stage: Stage, load: Load, rng: random.Random) -> None:
    """The first of its processes: the others follow it."""
    with load:
        for _ in range(ROUNDS):
            load.goes_on()
            pause(rng)
            stage.kill("/postgres -D", most=1)
            load.goes_on()
    stage.assert_promises_kept(load)
    assert load.statuses[503] == load.server_errors > 0
