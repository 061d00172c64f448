"""How does a rule say no? It raises a Refusal; the dialect of the route decides how that looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that is wrong with a body: where (dotted path, `plannedLessons.0`) and why."""

    path: str
    message: str


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """A request that the rules turn down.

    `status` is the RFC 9110 number, `code` the machine-readable word where the contract has one,
    `extra` further members of the body (002's `conflicts`), `retry_after` whole seconds.
    """

    status: ClassVar[int] = 400
    title: ClassVar[str] = "Bad Request"
    code: str | None = None

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        details: Sequence[Detail] = (),
        retry_after: int | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message or self.title)
        self.message = message or self.title
        self.code = code or self.code
        self.details = tuple(details)
        self.retry_after = retry_after
        self.extra = dict(extra or {})


class BadRequest(Refusal):
    """The request cannot be understood, or breaks a rule of its own shape."""


class Unauthorized(Refusal):
    """Nobody we know is asking. The reason is for the log, never for the caller."""

    status = 401
    title = "Unauthorized"


class Forbidden(Refusal):
    """We know who is asking, and they may not."""

    status = 403
    title = "Forbidden"


class NotFound(Refusal):
    """It does not exist, or not for this caller: the two look alike."""

    status = 404
    title = "Not Found"


class Conflict(Refusal):
    """It cannot be done in the state that things are in."""

    status = 409
    title = "Conflict"


class TooLarge(Refusal):
    """The body is over the limit."""

    status = 413
    title = "Content Too Large"


class Unprocessable(Refusal):
    """The shape is right and the meaning is not."""

    status = 422
    title = "Unprocessable Content"


class TooManyRequests(Refusal):
    """A limit was reached; `retry_after` says when it is worth trying again."""

    status = 429
    title = "Too Many Requests"


class Unavailable(Refusal):
    """A part that we need does not answer; the same request may work in a moment."""

    status = 503
    title = "Service Unavailable"
