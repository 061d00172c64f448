"""How is the product kept busy, and what does it promise? Threads that begin lessons, each call by its own key."""

import http.client
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.faults.world import Payer
from tests.ops.running import eventually

THREADS = 6
_RETRIES = 0.1  # of all calls


@dataclass(frozen=True)
class Call:
    """One begun lesson. The key is the play's displayName too, so that the row says which call made it."""

    key: str
    payer: Payer


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Line:
    """A connection that is kept open, and opened again after it broke."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def begin(self, call: Call) -> Answer | None:
        """None where no answer came: nobody knows whether it was done."""
        body = json.dumps({"lessonId": call.payer.lesson_id, "displayName": call.key})
        headers = {"Content-Type": "application/json", "Idempotency-Key": call.key}
        try:
            self._http.request(
                "POST", "/api/lesson-plays", body, {**headers, "Authorization": f"Bearer {call.payer.token}"}
            )
            answer = self._http.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        except (OSError, http.client.HTTPException):
            self._http.close()
            return None

    def close(self) -> None:
        self._http.close()


class Load:
    """`with Load(…) as load:` keeps calling; what was answered is in it, by key."""

    def __init__(self, name: str, port: int, payers: list[Payer], rng: random.Random) -> None:
        self.name, self.port, self.payers = name, port, payers
        self.acknowledged: dict[str, bytes] = {}
        self.refused: set[str] = set()
        self.unanswered: dict[str, Call] = {}
        self.statuses: Counter[int] = Counter()
        self.wrong: list[str] = []
        self._seeds = [rng.random() for _ in range(THREADS)]
        self._lock, self._over = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._call_on, args=(place,)) for place in range(THREADS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def goes_on(self, calls: int = 20) -> None:
        """Come back when so many more have been done and paid for: the product works."""
        wanted = len(self.acknowledged) + calls
        eventually(lambda: len(self.acknowledged) >= wanted)

    def settle(self) -> None:
        """Once the load is over: ask for what was not answered again, by the same key, until it is."""
        line = Line(self.port)
        for call in list(self.unanswered.values()):
            eventually(partial(self._ask_again, call, line))
        line.close()

    def _ask_again(self, call: Call, line: Line) -> bool:
        return self._note(call, line.begin(call))

    @property
    def server_errors(self) -> int:
        return sum(count for status, count in self.statuses.items() if status >= 500)

    def _call_on(self, place: int) -> None:
        rng, line, number = random.Random(self._seeds[place]), Line(self.port), 0
        done: list[Call] = []
        while not self._over.is_set():
            if done and rng.random() < _RETRIES:
                call = rng.choice(done)
            else:
                number += 1
                (payer,) = rng.choices(self.payers, [8, 1, 1])
                call = Call(f"{self.name}-{place}-{number}", payer)
            if self._note(call, line.begin(call)):
                done.append(call)
            else:
                time.sleep(0.02)
        line.close()

    def _note(self, call: Call, answer: Answer | None) -> bool:
        """Whether it is settled what became of the call."""
        with self._lock:
            status = answer.status if answer else 0
            self.statuses[status] += 1
            if answer is None or status == 409 or status >= 500:
                self.unanswered[call.key] = call
                if answer and status in (409, 503) and "retry-after" not in answer.headers:
                    self.wrong.append(f"{call.key}: {status} does not say when to come again")
                return False
            self.unanswered.pop(call.key, None)
            known = self.acknowledged.get(call.key)
            if status == 200 and known in (None, answer.body):
                self.acknowledged[call.key] = answer.body
                self.refused.discard(call.key)
            elif status == 429 and known is None and call.payer.means != "rich":
                self.refused.add(call.key)
            else:
                self.wrong.append(f"{call.key}: {status} {answer.body!r}, before {known!r}")
            return True


def storm(port: int, call: Call, *, retries: int, connections: int) -> list[Answer | None]:
    """One key again and again, on many connections at once; every answer."""
    answers: list[Answer | None] = []
    together = threading.Barrier(connections)

    def insist() -> None:
        line = Line(port)
        together.wait()
        answers.extend([line.begin(call) for _ in range(retries // connections)])
        line.close()

    threads = [threading.Thread(target=insist) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
