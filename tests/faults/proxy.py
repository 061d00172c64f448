"""How does an answer get lost? A proxy that cuts: the request was sent, and the answer never comes."""

import contextlib
import random
import socket
import threading
from typing import Any


class Proxy:
    """In front of one port. Some connections end once a request has gone through: at once, or when its answer comes."""

    def __init__(self, port: int, rng: random.Random, *, cut: float) -> None:
        self.cuts = 0
        self._behind, self._rng, self._cut = port, rng, cut
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """Until either side leaves, or the lot falls on this request."""
        with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", self._behind)) as server:
            while message := _message(client):
                lot = self._rng.random()
                server.sendall(message)
                if lot < self._cut / 2:
                    break
                answer = _message(server)
                if lot < self._cut:
                    break
                client.sendall(answer)
            else:
                return
            self.cuts += 1


def _message(side: socket.socket) -> bytes:
    """One whole request or answer; nothing when the side has left."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (chunk := side.recv(65536)):
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    wanted = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < wanted:
        if not (chunk := side.recv(65536)):
            return b""
        body += chunk
    return head + b"\r\n\r\n" + body
