"""What do faults happen to? The product, started once, with a Valkey that its supervisor does not bring back."""

import contextlib
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import psutil
from redis import Redis

from apps.ops import engines, processes
from tests.faults import oracle
from tests.faults.load import Load
from tests.faults.world import Payer, payers
from tests.ops.running import Product, eventually

LONG = bool(os.environ.get("FAULTS_LONG"))
SEED = os.environ.get("FAULTS_SEED") or str(random.randrange(2**32))
MOST_TESTS = 12


class Valkey:
    """The broker and the cache of the product."""

    def __init__(self, folder: Path) -> None:
        engines.prepare_folder(folder)
        self._folder = folder
        (self._program,) = engines.programs(folder, database=False)
        self.url = engines.redis_url(folder)
        self._process: Popen[bytes] | None = None

    def start(self) -> None:
        self._process = engines.start(self._program, self._folder)

    def stop(self) -> None:
        if self._process is not None:
            processes.end(self._process, self._program)
            self._process = None

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Nobody listens at its address."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """It takes connections, and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def forget_everything(self) -> None:
        with Redis.from_url(self.url) as server:
            server.flushall()


class Stage:
    """A running product, who calls it, and Valkey apart from it."""

    def __init__(self, product: Product, valkey: Valkey) -> None:
        self.product, self.valkey = product, valkey
        self._payers = payers(product, MOST_TESTS, scale=10 if LONG else 1)

    def next_payers(self) -> list[Payer]:
        return self._payers.pop()

    def kill(self, sign: str, *, most: int = 100) -> None:
        """As the kernel does when memory is short: those of the product's own processes with this in their command."""
        victims = eventually(lambda: [each for each in self.product.everybody() if sign in _command(each)])
        for process in victims[:most]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def assert_promises_kept(self, load: Load) -> None:
        """Once the load is over."""
        load.settle()
        assert load.wrong == []
        oracle.assert_kept(self.product, acknowledged=load.acknowledged, refused=load.refused)


def _command(process: psutil.Process) -> str:
    """Nothing of one that has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
