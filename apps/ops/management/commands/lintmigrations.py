"""`manage.py lintmigrations`: would a migration of ours stop a server that is running? (development only)"""

from typing import Any

from django.apps import apps
from django_migration_linter.management.commands.lintmigrations import Command as LintCommand


class Command(LintCommand):
    """Django's own and other packages' migrations are not ours to mend."""

    def handle(self, *args: Any, **options: Any) -> None:
        options["include_apps"] = [config.label for config in apps.get_app_configs() if config.name.startswith("apps.")]
        options["no_cache"] = True
        super().handle(*args, **options)  # type: ignore[no-untyped-call]
