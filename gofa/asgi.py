"""Where do streams enter? Django's ASGI handler without the thread that it would keep for each open request."""

import os
from typing import Any

import django
from django.core.handlers.asgi import ASGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gofa.settings")


class StreamHandler(ASGIHandler):
    """Django opens a ThreadSensitiveContext a request: for a stream that lives for minutes, a thread that does."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not spoken here")
        await self.handle(scope, receive, send)


django.setup(set_prefix=False)
application = StreamHandler()
