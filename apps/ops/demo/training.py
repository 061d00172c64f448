"""How do the demo's exercises, routines and plans get into the database? Through the services that everybody uses."""

from apps.ai_training import services as training
from apps.ai_training.models import Exercise, RoutineTemplate, RoutineTemplateVersion, TrainingPlan
from apps.ai_training.states import TemplateStatus
from apps.kernel.clock import now
from apps.ops.demo.routines import EXERCISES, ROUTINES, DemoRoutine, DemoStep
from apps.tenants import binding
from apps.tenants.models import LIBRARY_CLIENT_ID, Client

BY = "seed_demo"
# Who has a plan already. Nobody else: the journey of a new user begins with generating one.
IN_TRAINING = (("demo", "user_002"),)


def seed_training() -> None:
    """The library, each client's choice of it, their own routines; a plan for whoever is in training and has none."""
    seed_exercises()
    for routine in ROUTINES:
        seed_routine(routine)
    for client_id in sorted({client_id for routine in ROUTINES for client_id in routine.visible_to}):
        seed_choice(client_id)
    for client_id, uid in IN_TRAINING:
        seed_training_plan(client_id, uid)


def seed_exercises() -> None:
    moment = now()
    with binding.bound(LIBRARY_CLIENT_ID), binding.atomic():
        for demo in EXERCISES.values():
            columns = {
                "name": dict(demo.name),
                "description": dict(demo.description),
                "equipment": list(demo.equipment),
            }
            Exercise.objects.update_or_create(
                client_id=LIBRARY_CLIENT_ID,
                exercise_id=demo.id,
                defaults=columns,
                create_defaults={**columns, "created_at": moment},
            )


def seed_routine(demo: DemoRoutine) -> None:
    """As it is written here: if what is published says something else, this is its next version.

    What was archived stays so.
    """
    fields, moment = _fields(demo), now()
    client = Client.objects.get(pk=demo.client)
    with binding.bound(client.pk), binding.atomic():
        template = RoutineTemplate.objects.for_client(client.pk).filter(pk=demo.id).first()
        if template is None:
            training.create_template(client=client, fields=fields, author=BY, now=moment, template_id=demo.id)
        elif template.status == TemplateStatus.ARCHIVED or _is_published(template, fields):
            return
        else:
            training.update_template(client=client, template_id=demo.id, fields=fields, author=BY, now=moment)
        training.publish_template(client=client, template_id=demo.id, author=BY, now=moment)


def seed_choice(client_id: str) -> None:
    """Which routines of the library the client shows; those that were archived since are no choice any more."""
    chosen = [routine.id for routine in ROUTINES if client_id in routine.visible_to]
    client = Client.objects.get(pk=client_id)
    with binding.bound(client_id), binding.atomic():
        there = RoutineTemplate.objects.library().filter(pk__in=chosen).order_by("pk").values_list("pk", flat=True)
        training.show_templates(client=client, template_ids=list(there))


def seed_training_plan(client_id: str, uid: str) -> None:
    client = Client.objects.get(pk=client_id)
    with binding.bound(client_id):
        if not TrainingPlan.objects.of_user(client_id, uid).exists():
            training.generate_plan(client=client, uid=uid, asked={}, now=now())


def _is_published(template: RoutineTemplate, fields: training.TemplateFields) -> bool:
    published: RoutineTemplateVersion | None = template.versions.published().first()
    return published is not None and training.content_of(published) == fields


def _fields(demo: DemoRoutine) -> training.TemplateFields:
    return {
        "name": dict(demo.name),
        "description": dict(demo.description),
        "goal": demo.goal,
        "intensity": demo.intensity,
        "minutes": demo.minutes,
        "equipment": list(demo.equipment),
        "risk_tiers": list(demo.risk_tiers),
        "steps": [_step(step) for step in demo.steps],
    }


def _step(demo: DemoStep) -> training.StepFields:
    return {
        "exercise_id": demo.exercise,
        "title": {},
        "target_reps": demo.reps,
        "target_seconds": demo.seconds,
        "rest_seconds": demo.rest,
        "guided": demo.guided,
    }
