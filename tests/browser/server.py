"""A real server for the browser: the WSGI application on threads, with its middleware, on the test database.

Django's own live server answers static files itself, without ranges, which a film needs to be moved about in.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.servers.basehttp import ThreadedWSGIServer
from django.core.wsgi import get_wsgi_application
from django.test.testcases import QuietWSGIRequestHandler

_QUIET_SECONDS = 0.3


class Server:
    """The application, and how many requests are in it: tables cannot be emptied below a request."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.origin = ""
        self._application = application
        self._lock = threading.Lock()
        self._running = 0
        self._last_seen = 0.0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self._count(1)
        try:
            return self._application(environ, start_response)
        finally:
            self._count(-1)

    def wait_until_quiet(self) -> None:
        """Until no request has been running for a moment: what a page sends as it goes is waited for as well."""
        while self._running or time.monotonic() - self._last_seen < _QUIET_SECONDS:
            time.sleep(0.02)

    def _count(self, change: int) -> None:
        with self._lock:
            self._running += change
            self._last_seen = time.monotonic()


@contextmanager
def serving() -> Iterator[Server]:
    server = Server(get_wsgi_application())
    listener = ThreadedWSGIServer(("127.0.0.1", 0), QuietWSGIRequestHandler)
    listener.set_app(server)
    server.origin = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
