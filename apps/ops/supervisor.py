"""How do programs start in order, stay, and stop together? The loop behind `manage.py up`; knows nothing of GOFA."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from subprocess import Popen
from types import FrameType

from apps.ops import processes
from apps.ops.processes import CannotStart, Program

_LOOK_EVERY = 0.1
_STEADY_AFTER = 60.0
_LONGEST_PAUSE = 15.0


class Interrupted(BaseException):
    """Somebody wants us to stop while we are still starting."""


@dataclass
class Child:
    """One program and the process that runs it at the moment, or the time at which it is tried again."""

    program: Program
    process: "Popen[bytes] | None"
    started_at: float
    deaths: int = 0
    retry_at: float = 0.0


class Supervisor:
    """Holds children in the order of their start. Everything happens in the main thread: the kernel ties a child's
    life to the thread that made it."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._children: list[Child] = []
        self._wanted_down = threading.Event()
        self._starting = True

    @contextlib.contextmanager
    def in_charge(self) -> Iterator[None]:
        """Signals are ours, orphans come to us, and whatever happens inside, nothing is left running after it."""
        processes.adopt_orphans()
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            with contextlib.suppress(Interrupted):
                yield
        finally:
            for number in before:
                signal.signal(number, signal.SIG_IGN)
            self.stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def start(self, *programs: Program) -> None:
        """Start them in this order and wait in this order until each answers; they warm up side by side."""
        fresh = [Child(program, processes.spawn(program), time.monotonic()) for program in programs]
        self._children += fresh
        for child in fresh:
            self._wait_for(child)

    def watch(self) -> None:
        """Keep everything running until SIGINT or SIGTERM."""
        self._starting = False
        while not self._wanted_down.wait(_LOOK_EVERY):
            for child in self._children:
                self._look_after(child)
            processes.bury_orphans(self._pids())

    def stop(self) -> None:
        """Those that work first, all at once; then what they stood on, the last started first."""
        self._children.reverse()
        for child in self._children:
            if child.process is not None and not child.program.foundation:
                with contextlib.suppress(ProcessLookupError):
                    child.process.send_signal(child.program.stop_signal)
        for child in self._children:
            if child.process is not None:
                processes.end(child.process, child.program)
        self._children.clear()
        processes.kill_orphans(())

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._wanted_down.set()
        if self._starting:
            self._starting = False
            raise Interrupted

    def _wait_for(self, child: Child) -> None:
        process, program = child.process, child.program
        assert process is not None
        processes.wait_until(lambda: process.poll() is not None or program.answers(), program.patience)
        if process.poll() is not None or not program.answers():
            raise CannotStart(f"{program.name} did not start; see {program.log}.")

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.retry_at:
                child.process, child.started_at = processes.spawn(child.program), now
            return
        if child.process.poll() is None:
            return
        processes.kill_session(child.process.pid)
        processes.kill_orphans(self._pids())
        child.deaths = 1 if now - child.started_at > _STEADY_AFTER else child.deaths + 1
        pause = 0.0 if child.deaths == 1 else min(_LONGEST_PAUSE, 0.1 * 2**child.deaths)
        self._say(f"{child.program.name} ended ({child.process.returncode}); starting it again in {pause:g} s.")
        child.process, child.retry_at = None, now + pause

    def _pids(self) -> Sequence[int]:
        return [child.process.pid for child in self._children if child.process is not None]
