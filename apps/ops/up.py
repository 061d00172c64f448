"""What does `manage.py up` do, step by step? Port, engines, migrations, demo data, programs, then it watches."""

import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection, connections

from apps.accounts import tokens
from apps.ops import demo_staff, engines, metrics, product
from apps.ops.processes import CannotStart
from apps.ops.supervisor import Supervisor
from apps.tenants.models import Client

Say = Callable[[str], None]


def run(say: Say) -> None:
    """Until SIGINT or SIGTERM. Raises CannotStart, with nothing left running."""
    supervisor = Supervisor(say)
    with ExitStack() as stack:
        stack.enter_context(engines.claimed(settings.DATA_DIR))
        listener = stack.enter_context(product.listen(settings.BIND_ADDRESS, settings.PORT))
        stack.enter_context(supervisor.in_charge())
        _start_everything(supervisor, listener, say)
        say(_welcome())
        supervisor.watch()
        say("Stopping.")


def _start_everything(supervisor: Supervisor, listener: socket.socket, say: Say) -> None:
    wanted = engines.wanted(settings.DATABASE_URL, settings.REDIS_URL, settings.DATA_DIR)
    for program in engines.programs(settings.DATA_DIR, **wanted):
        say(f"Starting {program.name}.")
        engines.retire_leftover(program, settings.DATA_DIR)
        supervisor.start(program)
    try:
        _prepare_data(say, embedded=wanted["database"])
    except OperationalError as error:
        raise CannotStart(f"The database does not answer: {str(error).splitlines()[0]}") from error
    finally:
        connections.close_all()
    os.environ.update(metrics.start_counting(settings.DATA_DIR / "metrics"))
    workers = [product.worker(), product.jobs(), product.webhooks(), product.schedule()]
    programs = [*product.web(listener), product.stream(), *workers]
    say(f"Starting {', '.join(program.name for program in programs)}.")
    supervisor.start(*programs)


def _prepare_data(say: Say, *, embedded: bool) -> None:
    with connection.cursor() as cursor:
        # A migration or a demo film may take longer than a request.
        cursor.execute("SET statement_timeout = 0")
    say("Applying migrations.")
    call_command("migrate", interactive=False, verbosity=0)
    seeded = settings.DATA_DIR / "demo-data-is-there"
    # Somebody's own database is given the demo only while it is empty.
    if not seeded.exists() and (embedded or not Client.objects.exists()):
        say("Making the demo data; this happens once.")
        call_command("seed_demo")
        seeded.touch()


def _welcome() -> str:
    url = settings.PUBLIC_URL.rstrip("/")
    token = tokens.issue_id_token("demo", "user_001", timedelta(hours=24)).text
    return f"""
GOFA is ready.

  Pages       {url}/
  Admin       {url}/admin/
  API         {url}/api/docs   {url}/api/v1/docs
  Staff       {", ".join(demo_staff.USERNAMES)}
  Password    {demo_staff.password()}
  Logs        {settings.DATA_DIR / "logs"}

Try it, as user_001 of demo (the token is good for 24 hours):

  curl -s '{url}/api/lessons?clientId=demo' -H 'Authorization: Bearer {token}'

Ctrl-C stops everything.
"""
