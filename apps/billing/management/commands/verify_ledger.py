"""Says whether the ledger adds up, for scripts and for the night (quality.md): exit 0, or 1 and what differs."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.billing import verification
from apps.tenants.models import Client


class Command(BaseCommand):
    help = "Print what does not add up in the ledger, one line each. Exit code 1 if there is anything, else 0."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--client", help="the client's id; all of them if left out")

    def handle(self, *args: Any, **options: Any) -> None:
        client_id = options["client"]
        if client_id is not None and not Client.objects.filter(pk=client_id).exists():
            raise CommandError(f"no client is named {client_id!r}")
        found = verification.differences(client_id)
        for difference in found:
            self.stdout.write(str(difference))
        if found:
            raise CommandError("the ledger does not add up")
