"""Who does which kind of job? The rooms above say so, in their modules `tasks`.

    @performs("catalog.subtitle", title=_("Check a subtitle"), attempts=5)
    def process_subtitle(work: Work) -> None:
        …read, compute, fetch…                       # outside of any transaction; may be done again from the start
        with work.finishing():                       # one transaction: the effect and the job's being done
            …write…

A performer runs under its client's binding, whether or not the client was suspended since: what was promised is done.
It may be killed at any moment, and is then begun anew elsewhere; what it writes within `finishing` is there once.
`Hopeless` fails the job at once with words for an administrator; any other exception has it tried again later, `NotNow`
with words of its own. Where somebody who cannot see jobs must learn that one was given up, `given_up` writes it down.

`tasks` is imported by every process, not only by workers: what weighs much is imported inside the performer.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from apps.jobs.work import Work

Perform = Callable[["Work"], None]
# Told the id of a job, in the transaction in which that becomes failed.
GivenUp = Callable[[str], None]
Title = Union[str, "_StrPromise"]


class Hopeless(Exception):  # noqa: N818 - an outcome, not an error
    """It would go wrong again: nobody tries it again but a person."""


class NotNow(Exception):  # noqa: N818 - an outcome, not an error
    """It may go right in a while: it is tried again, and these words for an administrator stand beside it till then."""


@dataclass(frozen=True, slots=True)
class Performer:
    perform: Perform
    attempts: int
    title: Title
    given_up: GivenUp | None


_of_kind: dict[str, Performer] = {}


def performs(
    kind: str, *, title: Title = "", attempts: int = 5, given_up: GivenUp | None = None
) -> Callable[[Perform], Perform]:
    """The decorated function does jobs of this kind, which staff know by this title, and is tried so often."""

    def register(perform: Perform) -> Perform:
        if kind in _of_kind:
            raise ValueError(f"{kind} is performed already")
        _of_kind[kind] = Performer(perform, attempts, title or kind, given_up)
        return perform

    return register


def performer_of(kind: str) -> Performer | None:
    return _of_kind.get(kind)


def titles() -> Iterable[tuple[str, Title]]:
    """Every kind with its title."""
    return ((kind, performer.title) for kind, performer in _of_kind.items())


def title_of(kind: str) -> str:
    """In the language of whoever asks; the kind itself where nobody performs it any more."""
    performer = performer_of(kind)
    return str(performer.title) if performer else kind
