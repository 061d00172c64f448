"""How does an answer become bytes?"""

from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer


def as_json(data: Any) -> bytes:
    return orjson.dumps(data, default=str)


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else as_json(data)
