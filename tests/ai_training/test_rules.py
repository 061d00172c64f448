"""What the database itself refuses, whoever writes."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Model

from apps.ai_training import states
from apps.ai_training.models import (
    MoveSession,
    RoutineInstance,
    RoutineRun,
    RoutineTemplate,
    RunStep,
    TrainingPlan,
    VisibleTemplate,
)
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make


def test_another_clients_template_cannot_be_put_in_a_queue(ada: EndUser, acme: Client) -> None:
    foreign = make.make_template(acme)
    plan = make.make_training_plan(ada)
    with binding.bound("acme"):
        version = foreign.versions.get()
    with binding.bound("demo"), pytest.raises(IntegrityError, match="neither of client demo nor of the library"):
        RoutineInstance.objects.create(
            client=ada.client,
            user_id="ada",
            plan=plan,
            template=foreign,
            version=version,
            queue_position=0,
            created_at=now(),
        )


def test_a_template_of_the_library_can(ada: EndUser, gofa: Client) -> None:
    instance = make.make_instance(ada, make.make_template(gofa))
    assert instance.client_id == "demo"


def test_another_clients_template_cannot_be_shown(demo: Client, acme: Client) -> None:
    foreign = make.make_template(acme)
    with binding.bound("demo"), pytest.raises(IntegrityError):
        VisibleTemplate.objects.create(client=demo, template=foreign)


def test_nobody_has_two_active_plans(ada: EndUser) -> None:
    make.make_training_plan(ada)
    with pytest.raises(IntegrityError, match="training_plan_one_active"):
        make.make_training_plan(ada)


def test_an_instance_has_one_open_run(ada: EndUser) -> None:
    instance = make.make_instance(ada, make.make_template(ada.client))
    make.make_routine_run(ada, instance, status="completed", ended_at=now())
    make.make_routine_run(ada, instance)
    with pytest.raises(IntegrityError, match="routine_run_one_open"):
        make.make_routine_run(ada, instance, status="in-progress")


def test_a_published_version_and_its_steps_are_frozen(demo: Client) -> None:
    template = make.make_template(demo)
    with binding.bound("demo"):
        version = template.versions.get()
        step = version.steps.get()
        for change in (
            lambda: template.versions.update(name={"en": "Other"}),
            lambda: template.versions.update(status="draft", published_at=None),
            lambda: version.steps.update(target_reps=11),
            lambda: version.steps.all().delete(),
            lambda: version.steps.create(client=demo, sequence=1, exercise=step.exercise, target_reps=1),
        ):
            with pytest.raises(IntegrityError, match="published"), transaction.atomic():
                change()
        template.versions.update(status="superseded")


def test_what_is_closed_stays_closed(ada: EndUser) -> None:
    """The trigger and states.py name the same closed states."""
    template = make.make_template(ada.client)
    instance = make.make_instance(ada, template)
    run = make.make_routine_run(ada, instance)
    exercise = make.make_exercise(ada.client)
    session = make.make_move_session(ada, exercise)
    with binding.bound("demo"):
        rows: list[tuple[Model, Any]] = [
            (TrainingPlan.objects.get(), states.PLAN),
            (instance, states.INSTANCE),
            (run, states.RUN),
            (RunStep.objects.get(), states.STEP),
            (session, states.MOVE),
            (template, states.TEMPLATE),
        ]
        for row, follows in rows:
            for state in follows:
                with transaction.atomic():
                    assert can_leave(row, state) != states.is_closed(follows, state), f"{row._meta.db_table} {state}"
                    transaction.set_rollback(True)


def can_leave(row: Model, state: str) -> bool:
    """Whether the table lets a row in this state become something else; every other column as the state wants it."""
    known = type(row)._base_manager.filter(pk=row.pk)
    values = {name: now() for name in ("ended_at", "superseded_at") if hasattr(row, name)}
    closed = state in ("completed", "abandoned", "superseded") and bool(values)
    empty: dict[str, Any] = dict.fromkeys(values)
    known.update(status=state, **(values if closed else empty))
    other = next(choice for choice in _states_of(row) if choice != state)
    closing = other in ("completed", "abandoned", "superseded")
    try:
        with transaction.atomic():
            known.update(status=other, **(values if closing else empty))
    except IntegrityError as error:
        if "stays so" not in str(error):
            raise
        return False
    return True


def _states_of(row: Model) -> list[str]:
    models = (TrainingPlan, RoutineInstance, RoutineRun, RunStep, MoveSession, RoutineTemplate)
    assert isinstance(row, models)
    return list(row.Status.values)
