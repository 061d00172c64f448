"""`make bench`: interleaved rounds of the same requests at each contestant; medians and ratios, with least and most.

Ours is the product's web process with all its checks; bare is a Django view with the same SQL and JSON on the same
server; peer is FastAPI with asyncpg; pgbench runs the SQL alone. The load generator is wrk (Debian's package).
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks import cpu

ROOT = Path(__file__).resolve().parents[2]
CONNECTIONS, PROCESSES = 16, 2
CONTESTANTS = {"ours": "apps.ops.web", "bare": "tests.benchmarks.bare", "peer": "tests.benchmarks.peer"}
SCENARIOS = ("play", "page", "lessons", "create")

# Each line of the file is one request: method, path, credential, uid, body; wrk goes round them.
_LUA = """
local requests, place = {}, 0
for line in io.lines(os.getenv("BENCH_REQUESTS")) do
  local method, path, token, uid, body = line:match("([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)\\t(.*)")
  local headers = {["Authorization"] = "Bearer " .. token, ["X-User"] = uid, ["Content-Type"] = "application/json"}
  requests[#requests+1] = wrk.format(method, path, headers, body ~= "" and body or nil)
end
request = function() place = place % #requests + 1; return requests[place] end
done = function(summary, latency)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  local rate, slow = summary.requests / summary.duration * 1e6, latency:percentile(99) / 1000
  io.write(string.format("RESULT %f %d %f\\n", rate, bad, slow))
end
"""


def main() -> None:
    options = _options()
    if shutil.which("wrk") is None and not options.cpu:
        sys.exit("make bench needs wrk: apt-get install wrk")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gofa-bench-")))
        stack.enter_context(_database(folder))
        from tests.benchmarks import ground

        made = ground.make()
        files = _requests(made, folder)
        if options.cpu:
            cpu.compare(files, options.only or list(cpu.READS), options.rounds * 20)
            return
        ports = {name: stack.enter_context(_served(module)) for name, module in CONTESTANTS.items()}
        script = folder / "requests.lua"
        script.write_text(_LUA)
        for scenario in options.only or SCENARIOS:
            _compare(scenario, files[scenario], ports, script, options)
            _pgbench(scenario, made, folder, options.seconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--cpu", action="store_true", help="processor time of a read instead, without wrk")
    parser.add_argument("--only", nargs="*", choices=SCENARIOS)
    return parser.parse_args()


@contextmanager
def _database(folder: Path) -> Iterator[None]:
    """Engines of its own with all durability, migrated; the environment says where they are."""
    from apps.ops import engines

    data = folder / "data"
    with engines.running(data):
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "gofa.settings",
            "GOFA_DATA_DIR": str(data),
            "DATABASE_URL": engines.database_url(data),
            "REDIS_URL": engines.redis_url(data),
            "STATEMENT_TIMEOUT_MS": "0",
            "LOG_LEVEL": "WARNING",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield


def _requests(made: dict[str, Any], folder: Path) -> dict[str, Path]:
    from datetime import timedelta

    from apps.accounts.tokens import issue_id_token

    lines: dict[str, list[str]] = {scenario: [] for scenario in SCENARIOS}
    for place, user in enumerate(made["users"]):
        token = issue_id_token("bench", user, timedelta(hours=6)).text
        lesson = made["lessons"][place % len(made["lessons"])]
        lines["play"].append(f"GET\t/api/lesson-plays/{made['plays'][user]}\t{token}\t{user}\t")
        lines["page"].append(f"GET\t/api/lesson-plays?clientId=bench&pageSize=20\t{token}\t{user}\t")
        lines["lessons"].append(f"GET\t/api/lessons?clientId=bench\t{token}\t{user}\t")
        lines["create"].append(f'POST\t/api/lesson-plays\t{token}\t{user}\t{{"lessonId": "{lesson}", "locale": "en"}}')
    files = {}
    for scenario, rows in lines.items():
        files[scenario] = folder / f"{scenario}.txt"
        files[scenario].write_text("\n".join(rows) + "\n")
    return files


@contextmanager
def _served(module: str) -> Iterator[int]:
    """Two processes on one listening socket; answers the port once they live."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        listener.set_inheritable(True)
        number, port = listener.fileno(), listener.getsockname()[1]
        argv = [sys.executable, "-m", module, str(number)]
        processes = [subprocess.Popen(argv, cwd=ROOT, pass_fds=(number,)) for _ in range(PROCESSES)]
        try:
            _wait(port)
            yield port
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(10)


def _wait(port: int) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/nowhere", timeout=2)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"nothing answers on port {port}")


def _compare(scenario: str, requests: Path, ports: dict[str, int], script: Path, options: argparse.Namespace) -> None:
    rates: dict[str, list[float]] = {name: [] for name in ports}
    slow: dict[str, list[float]] = {name: [] for name in ports}
    for port in ports.values():
        _wrk(port, requests, script, 1)
    for _ in range(options.rounds):
        for name, port in ports.items():
            rate, latency = _wrk(port, requests, script, options.seconds)
            rates[name].append(rate)
            slow[name].append(latency)
    shown = "  ".join(
        f"{name} {statistics.median(rates[name]):,.0f}/s (p99 {statistics.median(slow[name]):.0f} ms)" for name in ports
    )
    print(f"{scenario:8} {shown}")
    for other in ("bare", "peer"):
        ratios = [mine / theirs for mine, theirs in zip(rates["ours"], rates[other], strict=True)]
        middle = statistics.median(ratios)
        print(f"{'':8} ours ÷ {other}: {middle:.2f} ({min(ratios):.2f}–{max(ratios):.2f})", flush=True)


def _wrk(port: int, requests: Path, script: Path, seconds: int) -> tuple[float, float]:
    argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    env = {**os.environ, "BENCH_REQUESTS": str(requests)}
    output = subprocess.run(argv, env=env, check=True, capture_output=True, text=True).stdout
    rate, bad, latency = next(line for line in output.splitlines() if line.startswith("RESULT")).split()[1:]
    if int(bad):
        sys.exit(f"{bad} requests failed on port {port}:\n{output}")
    return float(rate), float(latency)


def _pgbench(scenario: str, made: dict[str, Any], folder: Path, seconds: int) -> None:
    """The SQL alone, prepared, on as many connections as the product has threads."""
    from apps.ops import engines
    from tests.benchmarks import pgbench

    script = folder / f"{scenario}.sql"
    script.write_text(pgbench.script(scenario, made))
    rate = pgbench.run(script, engines.database_url(folder / "data"), seconds)
    print(f"{'':8} pgbench: {rate:,.0f}/s", flush=True)


if __name__ == "__main__":
    main()
