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
    """The application, and how many requests are in it: tables cannot be emptied below a request.

    Between tests it is shut: a browser may send what a page left behind long after the page is gone.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.origin = ""
        self._application = application
        self._lock = threading.Lock()
        self._running = 0
        self._last_seen = 0.0
        self._is_open = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not self._enter():
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return []
        try:
            return self._application(environ, start_response)
        finally:
            self._leave()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """For a test; at its end until no request has been running for a moment."""
        self._is_open = True
        yield
        while not self._shut():
            time.sleep(0.02)

    def _shut(self) -> bool:
        with self._lock:
            is_quiet = not self._running and time.monotonic() - self._last_seen >= _QUIET_SECONDS
            self._is_open = not is_quiet
        return is_quiet

    def _enter(self) -> bool:
        with self._lock:
            self._running += self._is_open
            self._last_seen = time.monotonic()
            return self._is_open

    def _leave(self) -> None:
        with self._lock:
            self._running -= 1
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
