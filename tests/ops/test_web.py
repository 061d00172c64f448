"""One port: pages on threads, streams passed on. Real sockets, real servers, a WSGI application of the test's own."""

import asyncio
import http.client
import json
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from apps.ops import gateway, passing, web

STREAM = "/api/v1/play-sessions/pls_1/tutor/stream"
MEBIBYTE = 1024 * 1024


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """Says what it was asked; `/file` answers with the file that FILE names, `/broken` not at all."""
    path = environ["PATH_INFO"]
    if path == "/broken":
        raise RuntimeError("broken on purpose")
    if path == "/file":
        file = Path(environ["HTTP_FILE"])
        start_response("200 OK", [("Content-Length", str(file.stat().st_size))])
        return environ["wsgi.file_wrapper"](file.open("rb"))
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    told = {key: value for key, value in environ.items() if isinstance(value, str)}
    start_response("200 OK", [("Content-Type", "application/json")])
    return Chunks([json.dumps({**told, "received": len(body)}).encode()])


class Chunks(list[bytes]):
    def close(self) -> None: ...


class Streamer:
    """An async application that sends one event, then waits to be told to send the last one."""

    def __init__(self) -> None:
        self.left = threading.Event()
        self.seen: dict[str, Any] = {}
        self._may_end = threading.Event()

    def release(self) -> None:
        self._may_end.set()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.seen = {**scope, "body": (await receive())["body"]}
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: first\n\n", "more_body": True})
        leaving = asyncio.ensure_future(receive())
        ending = asyncio.get_running_loop().run_in_executor(None, self._may_end.wait)
        await asyncio.wait((leaving, ending), return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            self.left.set()
        leaving.cancel()
        await send({"type": "http.response.body", "body": b"data: last\n\n"})


class Served:
    """Servers in threads, and the one port in front of them."""

    def __init__(self, folder: Path, patience: float = 0) -> None:
        self.streamer = Streamer()
        self.socket_path = folder / "stream.sock"
        self.listener = socket.create_server(("127.0.0.1", 0))
        dispatcher = web.Dispatcher(echo, 1, passing.Forwarder(self.socket_path, patience))
        self._running = [self._run(web.server(dispatcher), [self.listener])]
        self.start_stream_process()

    def _run(
        self, server: uvicorn.Server, sockets: list[socket.socket] | None
    ) -> tuple[uvicorn.Server, threading.Thread]:
        thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
        thread.start()
        while not server.started:
            assert thread.is_alive()
        return server, thread

    def start_stream_process(self) -> None:
        config = uvicorn.Config(
            self.streamer, uds=str(self.socket_path), lifespan="off", log_level="warning", forwarded_allow_ips="*"
        )
        self._running.append(self._run(uvicorn.Server(config), None))

    def stop_stream_process(self) -> None:
        server, thread = self._running.pop()
        server.should_exit = True
        thread.join()

    def stop(self) -> None:
        self.streamer.release()
        for server, thread in self._running:
            server.should_exit = True
            thread.join()

    def connect(self) -> http.client.HTTPConnection:
        address, port = self.listener.getsockname()
        return http.client.HTTPConnection(address, port, timeout=20)

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        connection = self.connect()
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), text


@pytest.fixture
def served() -> Iterator[Served]:
    # Not pytest's folder: its name is too long for a socket.
    with tempfile.TemporaryDirectory() as folder:
        running = Served(Path(folder))
        yield running
        running.stop()


def test_a_page_is_answered_and_the_connection_is_kept(served: Served) -> None:
    connection = served.connect()
    for number in (1, 2):
        connection.request("GET", f"/page?n={number}")
        told = json.loads(connection.getresponse().read())
        assert told["QUERY_STRING"] == f"n={number}"
        assert told["REMOTE_ADDR"] == "127.0.0.1"
        assert told["wsgi.url_scheme"] == "http"


def test_head_has_the_headers_and_no_body(served: Served) -> None:
    status, headers, body = served.ask("HEAD", "/page")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 0


def test_a_body_in_chunks_arrives_whole(served: Served) -> None:
    _, _, body = served.ask("POST", "/page", iter([b"one", b"two", b"three"]))
    told = json.loads(body)
    assert (told["received"], told["CONTENT_LENGTH"]) == (11, "11")
    assert "HTTP_TRANSFER_ENCODING" not in told


def test_a_body_at_the_limit_is_taken(served: Served) -> None:
    _, _, body = served.ask("POST", "/page", b"x" * gateway.MAX_BODY_BYTES)
    assert json.loads(body)["received"] == 12 * MEBIBYTE


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(served: Served) -> None:
    connection = served.connect()
    connection.putrequest("POST", "/api/lesson-plays")
    connection.putheader("Content-Length", str(gateway.MAX_BODY_BYTES + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())) == (413, {"error": "Body is too large"})
    assert answer.getheader("connection") == "close"


def test_a_body_in_chunks_is_refused_once_it_is_too_large(served: Served) -> None:
    connection = served.connect()
    connection.putrequest("POST", "/api/v1/courses")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    for _ in range(13):
        connection.send(b"100000\r\n" + b"x" * MEBIBYTE + b"\r\n")
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read())["code"] == "request.too_large"


@pytest.mark.parametrize(
    ("path", "path_info"),
    [("/caf%C3%A9", "/caf\xc3\xa9"), ("/%FF", "/\xff"), ("/a%2Fb%20c+d", "/a/b c+d"), ("/%25", "/%")],
)
def test_a_path_is_decoded_to_bytes_that_are_told_as_latin_1(served: Served, path: str, path_info: str) -> None:
    _, _, body = served.ask("GET", path)
    assert json.loads(body)["PATH_INFO"] == path_info


@pytest.mark.parametrize("path", ["/%00", "/api/lessons/%00", "/api/v1/courses/a%00b"])
def test_nul_in_a_path_is_not_found(served: Served, path: str) -> None:
    assert served.ask("GET", path)[0] == 404


def test_header_names_and_values_come_as_pep_3333_wants_them(served: Served) -> None:
    with socket.create_connection(served.listener.getsockname(), timeout=20) as client:
        client.sendall(
            b"GET / HTTP/1.1\r\nHost: a\r\nX-Name: caf\xe9 \t\r\nX-Two: 1\r\nX-Two: 2\r\nCookie: a=1\r\nCookie: b=2\r\n"
            b"X_Forged: 1\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
        )
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    told = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert told["HTTP_X_NAME"] == "caf\xe9"
    assert told["HTTP_X_TWO"] == "1,2"
    assert told["HTTP_COOKIE"] == "a=1; b=2"
    assert told["CONTENT_TYPE"] == "text/plain"
    assert "HTTP_X_FORGED" not in told


def test_a_failure_of_the_application_is_500_and_costs_no_thread(served: Served) -> None:
    assert [served.ask("GET", "/broken")[0] for _ in range(3)] == [500, 500, 500]
    assert served.ask("GET", "/page")[0] == 200


def test_a_file_is_sent_whole(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "film"
    file.write_bytes(os.urandom(3 * MEBIBYTE + 17))
    assert served.ask("GET", "/file", headers={"File": str(file)})[2] == file.read_bytes()


def test_clients_that_do_not_read_their_file_hold_no_thread(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "film"
    file.write_bytes(bytes(64 * MEBIBYTE))
    slow = [served.connect() for _ in range(3)]
    for connection in slow:
        connection.request("GET", "/file", headers={"File": str(file)})
        assert connection.getresponse().status == 200
    assert served.ask("GET", "/page")[0] == 200
    for connection in slow:
        connection.close()


def test_a_stream_is_passed_on_as_it_comes(served: Served) -> None:
    connection = served.connect()
    connection.request("GET", f"{STREAM}?after=7", headers={"Last-Event-ID": "7", "X-Forwarded-For": "6.6.6.6"})
    answer = connection.getresponse()
    assert answer.getheader("content-type") == "text/event-stream"
    assert len(answer.headers.get_all("date", [])) == 1
    # The second event does not exist yet.
    assert answer.readline() + answer.readline() == b"data: first\n\n"
    served.streamer.release()
    assert answer.read() == b"data: last\n\n"
    seen = served.streamer.seen
    assert (seen["path"], seen["query_string"]) == (STREAM, b"after=7")
    assert (b"last-event-id", b"7") in seen["headers"]
    assert seen["client"][0] == "127.0.0.1"


def test_the_stream_hears_when_the_client_leaves(served: Served) -> None:
    connection = served.connect()
    connection.request("GET", STREAM)
    assert connection.getresponse().readline()
    connection.close()
    assert served.streamer.left.wait(20)


def test_a_stream_gets_the_body_of_its_request(served: Served) -> None:
    served.streamer.release()
    assert served.ask("POST", STREAM, b'{"question": "why?"}')[2] == b"data: first\n\ndata: last\n\n"
    assert served.streamer.seen["body"] == b'{"question": "why?"}'


def test_a_stream_waits_for_a_process_that_is_started_again() -> None:
    with tempfile.TemporaryDirectory() as folder:
        served = Served(Path(folder), patience=60)
        served.stop_stream_process()
        connection = served.connect()
        connection.request("GET", STREAM)
        served.start_stream_process()
        assert connection.getresponse().status == 200
        served.stop()


def test_a_stream_that_nobody_serves_is_503_and_pages_go_on(served: Served) -> None:
    served.stop_stream_process()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    status, headers, body = served.ask("GET", STREAM, headers={"traceparent": trace})
    assert (status, headers["Retry-After" if "Retry-After" in headers else "retry-after"]) == (503, "1")
    problem = json.loads(body)
    assert problem["code"] == "server.unavailable"
    named = {name.lower(): value for name, value in headers.items()}
    assert (named["x-request-id"], named["traceparent"]) == (problem["requestId"], problem["traceId"])
    assert named["traceparent"].startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert served.ask("GET", "/page")[0] == 200
