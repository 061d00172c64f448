"""The product's Celery app, whose subtitle jobs stop where a test says: `celery -A tests.catalog.subtitles.worker …`.

`STOP_AT` is a function of the subtitles' service; after it the file `BEGUN` appears, and nothing goes on without `GO`.
"""

import functools
import os
import time
from pathlib import Path
from typing import Any

from celery.signals import worker_process_init

from gofa.celery import app

__all__ = ["app"]


@worker_process_init.connect
def stop_in_the_middle(**_: Any) -> None:
    from apps.catalog.services import subtitles

    goes_on = getattr(subtitles, os.environ["STOP_AT"])

    @functools.wraps(goes_on)
    def stop(*args: Any, **kwargs: Any) -> Any:
        answer = goes_on(*args, **kwargs)
        Path(os.environ["BEGUN"]).touch()
        while not Path(os.environ["GO"]).exists():
            time.sleep(0.02)
        return answer

    setattr(subtitles, os.environ["STOP_AT"], stop)
