"""`manage.py up`: the whole product on one port, until Ctrl-C."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.ops import up
from apps.ops.processes import CannotStart


class Command(BaseCommand):
    help = "Start PostgreSQL, Valkey, web, stream, worker and schedule, and keep them running until Ctrl-C."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            up.run(self._say)
        except CannotStart as error:
            raise CommandError(str(error)) from error

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
