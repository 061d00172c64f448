"""How does one process hold thousands of open streams? uvicorn before Django's ASGI handler, and an end in good order.

`python -m apps.ops.stream /run/stream.sock`, or `0.0.0.0:8001`. Told to stop, it accepts nothing more, tells every
listener to come back, which will be to another process, and lets the answers that are being made come to their end.
"""

import os
import sys
from typing import Any

import uvicorn

# Together less than a supervisor waits before it kills.
_LISTENERS_SECONDS = 2
_ANSWERS_SECONDS = 5.0


class Draining(uvicorn.Server):
    async def shutdown(self, sockets: Any = None) -> None:
        # Only now: the settings must be there before the models are imported.
        from apps.delivery.tutor.streams import streams

        ours = streams()
        ours.drain()
        await super().shutdown(sockets)
        await ours.finish(_ANSWERS_SECONDS)
        await ours.close()


def server(application: Any, address: str) -> Draining:
    """It believes the proxy before it who asks; nobody else reaches it."""
    host, _, port = address.rpartition(":")
    where: dict[str, Any] = {"uds": address} if address.startswith("/") else {"host": host, "port": int(port)}
    return Draining(
        uvicorn.Config(
            application,
            loop="uvloop",
            http="httptools",
            ws="none",
            interface="asgi3",
            lifespan="off",
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips="*",
            # An open stream would hold the shutdown for ever.
            timeout_graceful_shutdown=_LISTENERS_SECONDS,
            **where,
        )
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gofa.settings")
    from django.db import connections

    from gofa.asgi import application

    # A stream asks the database when it is opened and when nobody answers: between the two nobody holds a connection.
    connections.settings["default"]["CONN_MAX_AGE"] = 0
    server(application, sys.argv[1]).run()
