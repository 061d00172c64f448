"""The product's Celery app, in which one function begins and never comes back: `celery -A tests.billing.worker worker`.

`BLOCKED=apps.billing.folding._forget` names it, `BEGUN` the file that appears when it was called. With `AFTER` it
does first what it is there for.
"""

import os
import time
from pathlib import Path
from typing import Any

from celery import signals
from django.utils.module_loading import import_string

from gofa.celery import app

__all__ = ["app"]


@signals.worker_process_init.connect
def block(**_: object) -> None:
    if "BLOCKED" not in os.environ:
        return
    module, name = os.environ["BLOCKED"].rsplit(".", 1)
    room: Any = __import__(module, fromlist=[name])
    function = import_string(os.environ["BLOCKED"])

    def blocked(*args: Any, **kwargs: Any) -> Any:
        if "AFTER" in os.environ:
            function(*args, **kwargs)
        Path(os.environ["BEGUN"]).touch()
        while True:
            time.sleep(1)

    setattr(room, name, blocked)
