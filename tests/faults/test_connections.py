"""Answers get lost, calls come again and again: each is done once, and a retry is told what the first was."""

import random

from tests.faults.load import Answer, Call, Line, Load, storm
from tests.faults.proxy import Proxy
from tests.faults.stage import LONG, Stage
from tests.ops.running import eventually


def test_connections_are_cut_between_request_and_answer(stage: Stage, load: Load, rng: random.Random) -> None:
    with Proxy(stage.product.port, rng, cut=0.3) as proxy:
        load.port = proxy.port
        with load:
            load.goes_on(2_000 if LONG else 100)
    assert load.statuses[0] >= proxy.cuts > 0
    load.port = stage.product.port
    stage.assert_promises_kept(load)
    assert load.server_errors == 0


def test_one_key_comes_thousands_of_times(stage: Stage, load: Load) -> None:
    call = Call("again-and-again", load.payers[0])
    retries, connections = (10_000, 256) if LONG else (2_000, 64)
    answers = storm(stage.product.port, call, retries=retries, connections=connections)
    assert {answer and answer.status for answer in answers} <= {200, 409}
    first = eventually(lambda: done(Line(stage.product.port).begin(call)))
    assert {answer.body for answer in answers if answer and answer.status == 200} == {first.body}
    load.acknowledged[call.key] = first.body
    stage.assert_promises_kept(load)


def done(answer: Answer | None) -> Answer | None:
    return answer if answer and answer.status == 200 else None
