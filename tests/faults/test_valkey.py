"""Valkey is taken away, falls silent or forgets everything: the API answers and bills all the same."""

import random
import time

from tests.faults.load import Load
from tests.faults.stage import LONG, Stage

SECONDS = 60 if LONG else 3


def test_it_is_stopped(stage: Stage, load: Load) -> None:
    with load:
        load.goes_on()
        with stage.valkey.away():
            until = time.monotonic() + SECONDS
            load.goes_on()
            time.sleep(max(0, until - time.monotonic()))
        load.goes_on()
    stage.assert_promises_kept(load)
    assert load.server_errors == 0


def test_it_answers_nothing(stage: Stage, load: Load) -> None:
    with load:
        load.goes_on()
        with stage.valkey.silent():
            until = time.monotonic() + SECONDS
            load.goes_on()
            time.sleep(max(0, until - time.monotonic()))
        load.goes_on()
    stage.assert_promises_kept(load)
    assert load.server_errors == 0


def test_it_forgets_everything(stage: Stage, load: Load, rng: random.Random) -> None:
    with load:
        for _ in range(100 if LONG else 3):
            load.goes_on(rng.randrange(30))
            stage.valkey.forget_everything()
        load.goes_on()
    stage.assert_promises_kept(load)
    assert load.server_errors == 0
