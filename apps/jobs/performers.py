"""Who does which kind of job? The rooms above say so, in their modules `tasks`.

    @performs("catalog.subtitle", attempts=5)
    def process_subtitle(work: Work) -> None:
        …read, compute, fetch…                       # outside of any transaction; may be done again from the start
        with work.finishing():                       # one transaction: the effect and the job's being done
            …write…

A performer runs under its client's binding. It may be killed at any moment, and is then begun anew elsewhere; what it
writes within `finishing` is there once. `Hopeless` fails the job at once with words for an administrator; any other
exception has it tried again later.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.jobs.work import Work

Perform = Callable[["Work"], None]


class Hopeless(Exception):  # noqa: N818 - an outcome, not an error
    """It would go wrong again: nobody tries it again but a person."""


@dataclass(frozen=True, slots=True)
class Performer:
    perform: Perform
    attempts: int


_of_kind: dict[str, Performer] = {}


def performs(kind: str, *, attempts: int = 5) -> Callable[[Perform], Perform]:
    """The decorated function does jobs of this kind, and is tried so often."""

    def register(perform: Perform) -> Perform:
        if kind in _of_kind:
            raise ValueError(f"{kind} is performed already")
        _of_kind[kind] = Performer(perform, attempts)
        return perform

    return register


def performer_of(kind: str) -> Performer | None:
    return _of_kind.get(kind)
