#!/usr/bin/env python
"""The command line: `manage.py up` runs the product, `manage.py help` lists the rest."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext

# These do not ask the database; `up` starts the engines itself.
WITHOUT_ENGINES = {"check", "collectstatic", "compilemessages", "help", "makemessages", "spectacular", "up", "version"}


def engines_for(argv: list[str]) -> AbstractContextManager[None]:
    """The embedded engines for the time of one command: those that run already, or its own."""
    if len(argv) < 2 or argv[1] in WITHOUT_ENGINES or argv[1].startswith("-") or {"-h", "--help"} & set(argv):
        return nullcontext()
    from django.conf import settings

    from apps.ops import engines

    wanted = engines.wanted(settings.DATABASE_URL, settings.REDIS_URL, settings.DATA_DIR)
    return engines.running(settings.DATA_DIR, **wanted) if any(wanted.values()) else nullcontext()


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gofa.settings")
    from django.core.management import execute_from_command_line

    from apps.ops.processes import CannotStart

    try:
        with engines_for(sys.argv):
            execute_from_command_line(sys.argv)
    except CannotStart as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
