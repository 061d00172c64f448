"""`make bench`: interleaved rounds of the same requests at each contestant; medians and ratios, with least and most.

Beside the throughput stands the processor time that the server's processes took for a request, which neighbours on
the same cores disturb less; `--cpu` leaves the server out, too, and compares what is ours alone.

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
from typing import Any, NamedTuple

from tests.benchmarks import courses, cpu, streams

ROOT = Path(__file__).resolve().parents[2]
CONNECTIONS, PROCESSES = 16, 2
CONTESTANTS = {"ours": "apps.ops.web", "bare": "tests.benchmarks.bare", "peer": "tests.benchmarks.peer"}
SCENARIOS = ("play", "page", "lessons", "create", "state")
BILLABLE, NAVIGATE, STREAMS = "billable", "navigate", "streams"


class Server(NamedTuple):
    port: int
    processes: list["subprocess.Popen[bytes]"]

    def seconds(self) -> float:
        """Of processor time, in and out of the kernel, since the start."""
        stats = [Path(f"/proc/{each.pid}/stat").read_text().rpartition(")")[2].split() for each in self.processes]
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


class Round(NamedTuple):
    """One contestant's: requests a second, their 99th percentile in ms, and µs of processor time for each."""

    rate: float
    slow: float
    cost: float


# Each line of the file is one request: method, path, credential, uid, body; wrk goes round them.
_LUA = """
local requests, place = {}, 0
local digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
math.randomseed(tonumber(tostring({}):sub(8)) % 2147483647 + os.time())
local function key()
  local text = "0"
  for _ = 1, 25 do local at = math.random(32); text = text .. digits:sub(at, at) end
  return text
end
for line in io.lines(os.getenv("BENCH_REQUESTS")) do
  local method, path, token, uid, body = line:match("([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)\\t(.*)")
  local headers = {["Authorization"] = "Bearer " .. token, ["X-User"] = uid, ["Content-Type"] = "application/json"}
  headers["X-Tenant-Id"] = "bench"
  local made = function() return wrk.format(method, path, headers, body ~= "" and body or nil) end
  if method == "PATCH" then
    -- A step is taken once for a key: so each has another.
    requests[#requests+1] = function() headers["Idempotency-Key"] = key(); return made() end
  else
    local once = made()
    requests[#requests+1] = function() return once end
  end
end
request = function() place = place % #requests + 1; return requests[place]() end
done = function(summary, latency)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  local rate, slow = summary.requests / summary.duration * 1e6, latency:percentile(99) / 1000
  io.write(string.format("RESULT %f %d %f %d\\n", rate, bad, slow, summary.requests))
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
        servers = {name: stack.enter_context(_served(module)) for name, module in CONTESTANTS.items()}
        script = folder / "requests.lua"
        script.write_text(_LUA)
        for scenario in options.only or (*SCENARIOS, BILLABLE, NAVIGATE, STREAMS):
            if scenario == BILLABLE:
                _compare_clients(servers["ours"], script, folder, options)
                continue
            if scenario == NAVIGATE:
                _compare_sizes(
                    servers["ours"], script, courses.requests(folder, made["users"], made["sessions"]), options
                )
                continue
            if scenario == STREAMS:
                streams.compare(folder, lambda: _wrk(servers["ours"], files["play"], script, options.seconds).rate)
                continue
            _compare(scenario, files[scenario], servers, script, options)
            _pgbench(scenario, made, folder, options.seconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--cpu", action="store_true", help="processor time of a read instead, without wrk")
    parser.add_argument("--only", nargs="*", choices=(*SCENARIOS, BILLABLE, NAVIGATE, STREAMS))
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
        lines["state"].append(f"GET\t/api/v1/play-sessions/{made['sessions']['small'][user]}/state\t{token}\t{user}\t")
        lines["create"].append(f'POST\t/api/lesson-plays\t{token}\t{user}\t{{"lessonId": "{lesson}", "locale": "en"}}')
    files = {}
    for scenario, rows in lines.items():
        files[scenario] = folder / f"{scenario}.txt"
        files[scenario].write_text("\n".join(rows) + "\n")
    return files


@contextmanager
def _served(module: str) -> Iterator[Server]:
    """Two processes on one listening socket, once they live."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        listener.set_inheritable(True)
        number, port = listener.fileno(), listener.getsockname()[1]
        argv = [sys.executable, "-m", module, str(number)]
        processes = [subprocess.Popen(argv, cwd=ROOT, pass_fds=(number,)) for _ in range(PROCESSES)]
        try:
            _wait(port)
            yield Server(port, processes)
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


def _compare(
    scenario: str, requests: Path, servers: dict[str, Server], script: Path, options: argparse.Namespace
) -> None:
    for server in servers.values():
        _wrk(server, requests, script, 1)
    rounds = [
        {name: _wrk(server, requests, script, options.seconds) for name, server in servers.items()}
        for _ in range(options.rounds)
    ]
    for name in servers:
        rate, slow, cost = (
            statistics.median(figures) for figures in zip(*[each[name] for each in rounds], strict=True)
        )
        print(f"{scenario:8} {name:5} {rate:6,.0f}/s  p99 {slow:3.0f} ms  {cost:,.0f} µs of processor time each")
    for other in ("bare", "peer"):
        faster = [each["ours"].rate / each[other].rate for each in rounds]
        leaner = [each[other].cost / each["ours"].cost for each in rounds]
        print(f"{'':8} ours ÷ {other}: {_spread(faster)}, by processor time {_spread(leaner)}", flush=True)


def _compare_clients(server: Server, script: Path, folder: Path, options: argparse.Namespace) -> None:
    """Billable starts of one client, of 64 and of a thousand, by turns."""
    from apps.ops import engines
    from tests.benchmarks import billable, pgbench

    files = billable.requests(folder)
    for path in files.values():
        _wrk(server, path, script, 1)
    rounds = [
        {name: _wrk(server, path, script, options.seconds) for name, path in files.items()}
        for _ in range(options.rounds)
    ]
    for name in files:
        rate, slow, cost = (
            statistics.median(figures) for figures in zip(*[each[name] for each in rounds], strict=True)
        )
        print(f"{BILLABLE} {name:5} {rate:6,.0f}/s  p99 {slow:3.0f} ms  {cost:,.0f} µs of processor time each")
    print(f"{'':8} hot ÷ many: {_spread([each['hot'].rate / each['many'].rate for each in rounds])}", flush=True)
    rates = {}
    for name, clients in billable.CLIENTS.items():
        path = folder / f"billable-{name}.sql"
        path.write_text(billable.pgbench_script(clients))
        rates[name] = pgbench.run(path, engines.database_url(folder / "data"), options.seconds)
    print(f"{'':8} pgbench: " + ", ".join(f"{name} {rate:,.0f}/s" for name, rate in rates.items()))
    print(f"{'':8} pgbench hot ÷ many: {rates['hot'] / rates['many']:.2f}", flush=True)


def _compare_sizes(server: Server, script: Path, files: dict[str, Path], options: argparse.Namespace) -> None:
    """Steps through a small course and through a large one, by turns."""
    for path in files.values():
        _wrk(server, path, script, 1)
    rounds = [
        {name: _wrk(server, path, script, options.seconds) for name, path in files.items()}
        for _ in range(options.rounds)
    ]
    for name in files:
        rate, slow, cost = (
            statistics.median(figures) for figures in zip(*[each[name] for each in rounds], strict=True)
        )
        print(f"{NAVIGATE} {name:5} {rate:6,.0f}/s  p99 {slow:3.0f} ms  {cost:,.0f} µs of processor time each")
    print(f"{'':8} large ÷ small: {_spread([each['large'].rate / each['small'].rate for each in rounds])}", flush=True)


def _spread(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def _wrk(server: Server, requests: Path, script: Path, seconds: int) -> Round:
    argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{server.port}"]
    env = {**os.environ, "BENCH_REQUESTS": str(requests)}
    begun = server.seconds()
    output = subprocess.run(argv, env=env, check=True, capture_output=True, text=True).stdout
    took = server.seconds() - begun
    rate, bad, slow, count = next(line for line in output.splitlines() if line.startswith("RESULT")).split()[1:]
    if int(bad):
        sys.exit(f"{bad} requests failed on port {server.port}:\n{output}")
    return Round(float(rate), float(slow), took / int(count) * 1e6)


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
