"""GET /api/ai-training/routine-runs, …/[routineRunId] and /api/ai-training/records"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.ai_training.models import RoutineTemplate
from apps.kernel.clock import now
from apps.tenants.models import EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
RUNS = "/api/ai-training/routine-runs"
RECORDS = "/api/ai-training/records"


def test_a_run_is_told_whole_alone_and_in_the_list(
    ada: EndUser, ben: EndUser, builder: RoutineTemplate, as_: As
) -> None:
    time = now()
    older = make.make_routine_run(ada, make.make_instance(ada, builder), created_at=time - timedelta(hours=1))
    newer = make.make_routine_run(ada, make.make_instance(ada, builder), created_at=time)
    make.make_routine_run(ben, make.make_instance(ben, builder))
    listed = as_(ada).get(RUNS).json()
    assert set(listed) == {"routineRuns"}
    assert [run["routineRunId"] for run in listed["routineRuns"]] == [newer.id, older.id]
    assert as_(ada).get(f"{RUNS}/{older.id}").json() == {"routineRun": listed["routineRuns"][1]}
    assert len(listed["routineRuns"][0]["exerciseSteps"]) == 3


def test_a_list_has_at_most_as_many_as_asked_for(ada: EndUser, builder: RoutineTemplate, as_: As) -> None:
    for _ in range(3):
        make.make_routine_run(ada, make.make_instance(ada, builder))
    assert len(as_(ada).get(RUNS, {"limit": "2"}).json()["routineRuns"]) == 2
    assert len(as_(ada).get(RUNS, {"limit": "100"}).json()["routineRuns"]) == 3
    for limit in ("0", "101", "-1", "two", "1.5"):
        assert_names_field(as_(ada).get(RUNS, {"limit": limit}), "limit")


def test_another_persons_run_does_not_exist(
    ada: EndUser, ben: EndUser, dan: EndUser, builder: RoutineTemplate, as_: As
) -> None:
    for owner in (ben, dan):
        run = make.make_routine_run(owner, make.make_instance(owner, builder))
        assert_refused(as_(ada).get(f"{RUNS}/{run.id}"), 404, "Routine run not found")
    assert_refused(as_(ada).get(f"{RUNS}/run_none"), 404, "Routine run not found")


def test_nobody_and_staff_have_no_runs(cleo: User, anonymous: Caller, as_: As) -> None:
    assert_unauthorized(anonymous.get(RUNS))
    assert_refused(as_(cleo).get(RUNS), 403)


def test_records_are_the_runs_of_all_people_of_a_client(
    ada: EndUser, ben: EndUser, dan: EndUser, cleo: User, builder: RoutineTemplate, as_: As
) -> None:
    time = now()
    first = make.make_routine_run(ada, make.make_instance(ada, builder), created_at=time - timedelta(minutes=1))
    second = make.make_routine_run(ben, make.make_instance(ben, builder), created_at=time)
    make.make_routine_run(dan, make.make_instance(dan, builder))
    records = as_(cleo).get(RECORDS).json()["records"]
    assert [(each["routineRunId"], each["userId"]) for each in records] == [(second.id, "ben"), (first.id, "ada")]
    assert records[1] == as_(ada).get(f"{RUNS}/{first.id}").json()["routineRun"]
    assert len(as_(cleo).get(RECORDS, {"limit": "1"}).json()["records"]) == 1


def test_platform_staff_name_the_client(
    ada: EndUser, dan: EndUser, root: User, builder: RoutineTemplate, as_: As
) -> None:
    run = make.make_routine_run(dan, make.make_instance(dan, builder))
    make.make_routine_run(ada, make.make_instance(ada, builder))
    [record] = as_(root).get(RECORDS, {"clientId": "acme"}).json()["records"]
    assert (record["routineRunId"], record["clientId"]) == (run.id, "acme")
    assert as_(root).get(RECORDS).json() == {"records": []}


def test_records_cost_no_query_a_row(
    ada: EndUser, cleo: User, builder: RoutineTemplate, as_: As, django_assert_num_queries: Any
) -> None:
    place = make.make_instance(ada, builder)
    for _ in range(30):
        make.make_routine_run(ada, place, status="completed", ended_at=now())
    caller = as_(cleo)
    caller.get(RECORDS)
    with django_assert_num_queries(4):
        assert len(caller.get(RECORDS).json()["records"]) == 30


@pytest.mark.parametrize("limit", ["0", "101", "x"])
def test_the_number_of_records_is_1_to_100(cleo: User, as_: As, limit: str) -> None:
    assert_names_field(as_(cleo).get(RECORDS, {"limit": limit}), "limit")


def test_records_are_for_administrators_of_that_client(
    ada: EndUser, cleo: User, eve: User, anonymous: Caller, as_: As
) -> None:
    assert_unauthorized(anonymous.get(RECORDS))
    assert_refused(as_(ada).get(RECORDS), 403, "This role may not do that")
    assert_refused(make.make_integration(ada.client).get(RECORDS), 403)
    assert_refused(as_(cleo).get(RECORDS, {"clientId": "acme"}), 403)
    assert_refused(as_(cleo).get(RECORDS, {"clientId": "nowhere"}), 404, "Client not found")
