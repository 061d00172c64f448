"""How are calls counted that are never refused for it, at no cost to them? (contract 7)

A request adds one to a counter in its process. A thread of the process tells Valkey of it twice a second, and a task
folds what stands there into MeteredDay every five seconds (`folding`): six seconds behind, and twenty at most.

What may be lost: of a process that is killed, what it counted in its last half second; of a Valkey that forgets, what
was not folded yet, another five. While Valkey is away the counts wait here, `MOST_KEYS` of them; calls of a client, an
endpoint or a quarter of an hour that is not among those are lost then, and the log says how many. Nothing is counted
twice: Valkey remembers the number of the last batch that each process told it, and a batch is told until it answers.

Calls are kept by the quarter of an hour in UTC in which they came, because every zone's midnight falls between two of
those, and a request does not ask for its client's zone.
"""

import os
import re
import threading
import time
from functools import lru_cache
from multiprocessing.util import Finalize

import structlog
from django.contrib.admindocs.views import simplify_regex

from apps.api import valkey
from apps.kernel.ids import new_id

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 0.5
QUARTER_SECONDS = 900
MOST_KEYS = 10_000

COUNTS = "metered:counts"
TOLD = "metered:told:"

Key = tuple[str, str, int]

# KEYS: the counts, and which batch this process told last. ARGV: the batch's number; field and calls of each count.
_tell = valkey.script("""
if tonumber(redis.call('GET', KEYS[2]) or '0') >= tonumber(ARGV[1]) then return 0 end
for i = 2, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('SET', KEYS[2], ARGV[1], 'EX', 86400)
return 1
""")

# What the seed calls what varies in the address, where our routes have another name for it.
_NAMES = {"/api/lessons/<lesson_id>": "id"}


def note(client_id: str, method: str, route: str) -> None:
    """A call was answered: counted, if calls of this route are."""
    endpoint = endpoint_of(method, route)
    if endpoint is not None:
        counter.add(client_id, endpoint)


@lru_cache(maxsize=1_000)
def endpoint_of(method: str, route: str) -> str | None:
    """`GET /api/lessons/[id]` for a route of the metered families, None for others."""
    verb, path = "GET" if method == "HEAD" else method, simplify_regex(route)
    is_read = verb == "GET" and (path == "/api/lessons" or path.startswith("/api/lessons/"))
    is_managing = verb != "OPTIONS" and path.startswith("/api/b2b/")
    if not is_read and not is_managing:
        return None
    return f"{verb} " + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: f"[{_name_of(path, found[1])}]", path)


def _name_of(path: str, parameter: str) -> str:
    head, *rest = parameter.split("_")
    return _NAMES.get(path) or head + "".join(word.capitalize() for word in rest)


class Counter:
    """What this process has counted and Valkey does not know yet."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """A forked process counts its own calls; what its parent has counted, its parent tells."""
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None
        self._counts: dict[Key, int] = {}
        self._lost = 0
        self._batch: dict[Key, int] = {}
        self._number = 0
        self._told = TOLD + new_id("")

    def add(self, client_id: str, endpoint: str) -> None:
        """About a microsecond: no request may feel it."""
        key = (client_id, endpoint, int(time.time()) // QUARTER_SECONDS)
        with self._lock:
            known = self._counts.get(key, 0)
            if known or len(self._counts) < MOST_KEYS:
                self._counts[key] = known + 1
            else:
                self._lost += 1
        if not known:
            self._wake()

    def flush(self) -> bool:
        """Tell Valkey what there is; False when it is away. What it may have heard is told as the same batch again."""
        with self._flushing:
            if not self._batch:
                self._take()
            if not self._batch:
                return True
            fields = [part for key, calls in self._batch.items() for part in (field(key), calls)]
            keys = [COUNTS, self._told]
            if valkey.ask(lambda server: _tell(server, keys, [self._number, *fields]), None) is None:
                return False
            self._batch = {}
        return True

    def flush_all(self) -> None:
        """The last thing that the process does: what it was telling, and what came after."""
        if self.flush():
            self.flush()

    def _take(self) -> None:
        with self._lock:
            self._batch, self._counts = self._counts, {}
            lost, self._lost = self._lost, 0
        self._number += 1
        if lost:
            log.error("metered_calls_lost", calls=lost, reason="more different calls than are kept without valkey")

    def _wake(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="metering", daemon=True)
                    self._thread.start()
                    # Unlike atexit, also at the end of a process that was forked, as production's are.
                    Finalize(None, self.flush_all, exitpriority=0)
        self._wanted.set()

    def _run(self) -> None:
        pause = threading.Event()  # never set: its wait is a sleep that a test's frozen clock does not touch
        while True:
            self._wanted.wait()
            self._wanted.clear()
            pause.wait(FLUSH_SECONDS)
            try:
                heard = self.flush()
            except Exception:  # a thread that ends would be missed for ever
                log.exception("metering_failed")
                heard = False
            if not heard:
                self._wanted.set()


def field(key: Key) -> str:
    client_id, endpoint, quarter = key
    return f"{client_id}|{endpoint}|{quarter}"


def key_of(name: str) -> Key:
    client_id, endpoint, quarter = name.split("|")
    return client_id, endpoint, int(quarter)


counter = Counter()
os.register_at_fork(after_in_child=counter.begin_anew)
