"""`manage.py seed_demo`: the demo's clients, people, staff, lessons and plays; may be repeated (contract 13)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.ops.demo import bundles, courses, seeding


class Command(BaseCommand):
    help = "Make the demo data, or set it back to what it was."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--show", action="store_true", help="print the ids of what was made, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["show"] or not courses.seeded():
            seeding.seed()
        if options["show"]:
            for row in [*courses.seeded(), *bundles.seeded()]:
                self.stdout.write(f"{row.client:<6}{row.kind:<16}{row.id:<31} {row.whose}")
