"""`manage.py lintmigrations`: would a migration stop a server that is running? The tool is of the development group."""

from django_migration_linter.management.commands.lintmigrations import Command

__all__ = ["Command"]
