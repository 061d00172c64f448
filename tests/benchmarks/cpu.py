"""How much processor time does a request take, ours and bare? `make bench ARGS=--cpu`.

Throughput on a machine with neighbours says more of them than of us. So each contestant answers the requests in one
process of its own, from the environment of a request to the bytes of its answer and without a server around it, in
small batches by turns; the least time of a batch is the one that nobody disturbed.
"""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CONTESTANTS = ("ours", "bare")
READS = ("play", "page", "lessons", "state")
BATCH = 20


def compare(requests: dict[str, Path], scenarios: list[str], rounds: int) -> None:
    """Print what a request of each scenario takes, and the share that bare takes of ours."""
    for scenario in scenarios:
        contestants = {name: _started(name, requests[scenario]) for name in CONTESTANTS}
        took: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
        for _ in range(rounds):
            for name, process in contestants.items():
                took[name].append(_batch(process))
        for process in contestants.values():
            process.communicate()
        ours, bare = min(took["ours"]), min(took["bare"])
        print(f"{scenario:8} ours {ours:.0f} µs  bare {bare:.0f} µs  bare ÷ ours: {bare / ours:.2f}", flush=True)


def _started(name: str, requests: Path) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-m", "tests.benchmarks.cpu", name, str(requests)]
    return subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _batch(process: "subprocess.Popen[str]") -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def _answer_batches(name: str, requests: Path) -> None:
    """The child: a batch for each line that comes in, and its microseconds a request out."""
    scopes = [_scope(line) for line in requests.read_text().splitlines()]
    wsgi = _application(name)
    from apps.ops import gateway

    place = 0
    for _ in sys.stdin:
        begun = time.process_time()
        for _ in range(BATCH):
            place = (place + 1) % len(scopes)
            reply = gateway.answer(wsgi, scopes[place], b"")
            assert reply.status == 200, (reply.status, reply.body)
        print((time.process_time() - begun) / BATCH * 1e6, flush=True)


def _application(name: str) -> Any:
    if name == "bare":
        from tests.benchmarks import bare

        return bare.application()
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def _scope(line: str) -> dict[str, Any]:
    """A line of the load generator's file as ASGI tells it."""
    method, target, token, uid, _ = line.split("\t")
    path, _, query = target.partition("?")
    headers = {"host": "localhost", "authorization": f"Bearer {token}", "x-user": uid, "accept": "*/*"}
    headers["x-tenant-id"] = "bench"
    return {
        "type": "http",
        "method": method,
        "http_version": "1.1",
        "scheme": "http",
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 50000),
    }


if __name__ == "__main__":
    _answer_batches(sys.argv[1], Path(sys.argv[2]))
