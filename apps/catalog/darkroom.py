"""Who decodes a stranger's film or picture? `decoding`, in a process of its own, which we wait for and then end."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import structlog

log = structlog.get_logger(__name__)

PROGRAM = Path(__file__).with_name("decoding.py")
MEMORY_BYTES = 1024 * 1024 * 1024
CPU_SECONDS = 20
WALL_SECONDS = 30
# The program's exit codes; any other is an accident.
ANSWERED, REFUSED = 0, 3
FLAWS = {
    "pixels": "has more than 50 million pixels, or a side of more than 16,384",
    "broken": "is damaged, cut off, or not what it begins like",
    "empty": "has no moving pictures",
    "memory": "takes too much memory to decode",
    "time": "takes too long to decode",
    "crash": "stops the program that decodes it",
}
# SIGKILL, when it was not us: the kernel's, for want of memory.
_ACCIDENTS: dict[int, str] = {signal.SIGXCPU: "time", signal.SIGALRM: "time", signal.SIGKILL: "memory"}

SavedAs = Literal["JPEG", "PNG", "WEBP"]


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture, and its size in pixels."""

    data: bytes
    width: int
    height: int
    content_type: str


class Spoilt(Exception):  # noqa: N818 - a file's flaw, not ours
    """It cannot be decoded within the limits; the text continues a sentence that begins with "The film"."""


def develop(source: BinaryIO, task: Literal["frame", "picture"], *, saved_as: SavedAs, **order: object) -> Picture:
    """Have the whole file decoded and drawn anew. `source` is a file with a number; `order` is what the task takes.

    Raises Spoilt; RuntimeError when the program could not even begin.
    """
    source.seek(0)
    limits = {"memory": MEMORY_BYTES, "cpu_seconds": CPU_SECONDS, "alarm": WALL_SECONDS + 5}
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as complaint:
        code = _run({"task": task, "saved_as": saved_as, **order, **limits}, source, answer, complaint)
        said, complained = _content(answer), _content(complaint)[-2000:].decode(errors="replace")
    if code == ANSWERED:
        size, _, data = said.partition(b"\n")
        width, height = map(int, size.split())
        return Picture(data, width, height, f"image/{saved_as.lower()}")
    if code > 0 and code != REFUSED:
        raise RuntimeError(f"The program that decodes ended with {code}: {complained}")
    flaw = said.decode() if code == REFUSED else _ACCIDENTS.get(-code, "crash")
    log.info("catalog.spoilt", task=task, flaw=flaw, complaint=complained)
    raise Spoilt(FLAWS[flaw])


def _run(order: dict[str, object], source: BinaryIO, answer: BinaryIO, complaint: BinaryIO) -> int:
    """Its exit code, or the signal that ended it as a negative number. Nothing of it runs any more afterwards."""
    process = subprocess.Popen(  # noqa: S603 - our own program, no shell
        # Isolated: neither our environment nor a folder of ours is looked into for modules.
        (sys.executable, "-I", str(PROGRAM), json.dumps(order)),
        stdin=source,
        stdout=answer,
        stderr=complaint,
        env={},
        cwd="/",
        start_new_session=True,
    )
    try:
        return process.wait(WALL_SECONDS)
    except subprocess.TimeoutExpired:
        return -signal.SIGXCPU
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _content(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()
