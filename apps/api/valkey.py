"""How do we reach Valkey, and what if it is away? Short timeouts, then a pause in which nobody waits for it."""

import time
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import structlog
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 0.25
PAUSE_SECONDS = 2.0

AnswerT = TypeVar("AnswerT")
_away_until = 0.0


@cache
def client() -> Redis:
    """One client a process; its pool is safe between threads."""
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )


def ask(question: Callable[[Redis], AnswerT], otherwise: AnswerT) -> AnswerT:
    """What Valkey says, or `otherwise` while it is away: a caller never waits longer than the timeout for it."""
    global _away_until
    if time.monotonic() < _away_until:
        return otherwise
    try:
        return question(client())
    except RedisError as error:
        _away_until = time.monotonic() + PAUSE_SECONDS
        log.warning("valkey_away", error=str(error))
        return otherwise


def forget_absence() -> None:
    """Ask again at once; for tests that take Valkey away and bring it back."""
    global _away_until
    _away_until = 0.0


def script(source: str) -> Callable[..., Any]:
    """A Lua script, loaded by its hash when first used."""
    holder: list[Any] = []

    def run(server: Redis, keys: list[str], args: list[Any]) -> Any:
        if not holder:
            holder.append(client().register_script(source))
        return holder[0](keys=keys, args=args, client=server)

    return run
