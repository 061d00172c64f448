"""`manage.py seed_demo`: the demo's clients, people, staff, lessons and plays; may be repeated (contract 13)."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.ops.demo import seeding


class Command(BaseCommand):
    help = "Make the demo data, or set it back to what it was."

    def handle(self, *args: Any, **options: Any) -> None:
        seeding.seed()
