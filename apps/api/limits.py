"""How often may somebody do this? Token buckets in Valkey, taken from by one atomic script (contract 2).

The numbers are declared where they apply (`limits = [Limit("sign_in", 10, 60)]`). While Valkey is away calls pass,
with a log line: a limit protects us, and must not stop the product.
"""

import math
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apps.api import valkey
from apps.kernel.refusals import Refusal, TooManyRequests

# KEYS: a bucket each. ARGV: how many calls to take of all (0 only looks); capacity, quota and window of each.
# Answer: taken or not, then left and wait of each. A thousandth of a thousandth is no reason to wait: whoever waited
# as long as they were told finds a call.
_take = valkey.script("""
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local levels, waits, short = {}, {}, false
local wanted, enough = tonumber(ARGV[1]), 0.999999
for i, key in ipairs(KEYS) do
  local capacity, rate = tonumber(ARGV[3*i-1]), tonumber(ARGV[3*i]) / tonumber(ARGV[3*i+1])
  local kept = redis.call('HMGET', key, 'level', 'at')
  local level = tonumber(kept[1] or capacity)
  local idle = math.max(0, now - tonumber(kept[2] or now))
  level = math.min(capacity, level + idle * rate)
  levels[i] = level
  waits[i] = 0
  if level < enough then short = true; waits[i] = (1 - level) / rate end
end
local answer = {short and 0 or 1}
for i, key in ipairs(KEYS) do
  local level = levels[i]
  if wanted > 0 and not short then
    local capacity, rate = tonumber(ARGV[3*i-1]), tonumber(ARGV[3*i]) / tonumber(ARGV[3*i+1])
    level = math.max(0, level - 1)
    redis.call('HSET', key, 'level', string.format('%.6f', level), 'at', string.format('%.6f', now))
    redis.call('EXPIRE', key, math.ceil(capacity / rate) + 1)
  end
  answer[#answer+1] = string.format('%.6f', level)
  answer[#answer+1] = string.format('%.6f', waits[i])
end
return answer
""")

_ROUNDED = 0.000001

# KEYS: a bucket each. Answer: its level then, or nothing for one that nobody has taken from.
_give_back = valkey.script("""
local levels = {}
for i, key in ipairs(KEYS) do
  levels[i] = redis.call('EXISTS', key) == 1 and redis.call('HINCRBYFLOAT', key, 'level', 1) or ''
end
return levels
""")


@dataclass(frozen=True, slots=True)
class Limit:
    """`quota` calls in `window` seconds: `burst` of them at once if need be, or all where it is not given."""

    name: str
    quota: int
    window: int
    burst: int | None = None

    @property
    def capacity(self) -> int:
        return self.quota if self.burst is None else self.burst

    def key(self, scope: str) -> str:
        return f"limit:{self.name}:{scope}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a bucket holds after a call: whole calls left, and whole seconds until it is full again."""

    limit: Limit
    left: int
    reset: int
    wait: int

    @property
    def headers(self) -> dict[str, str]:
        """The IETF draft's two headers."""
        name = self.limit.name
        return {
            "RateLimit-Policy": f'"{name}";q={self.limit.quota};w={self.limit.window}',
            "RateLimit": f'"{name}";r={self.left};t={self.reset}',
        }


class RateLimited(TooManyRequests):
    code = "rate_limited"

    def __init__(self, reading: Reading) -> None:
        super().__init__("Too many requests", retry_after=reading.wait)
        self.reading = reading


_noted: ContextVar[dict[str, Reading]] = ContextVar("limit_readings")


def begin_noting() -> None:
    """A request begins: from here on every reading is noted for its answer's headers, wherever it was taken."""
    _noted.set({})


def noted() -> Iterable[Reading]:
    return _noted.get({}).values()


def take(limits: Sequence[tuple[Limit, str]], refusal: type[Refusal] | None = None) -> list[Reading]:
    """Take one call from each (limit, scope), or none and raise RateLimited (or `refusal`) for the longest wait.

    An empty list while Valkey is away.
    """
    taken, readings = _ask(limits, calls=1)
    if not taken:
        worst = max(readings, key=lambda reading: reading.wait)
        raise refusal(retry_after=worst.wait) if refusal else RateLimited(worst)
    return readings


def look(limits: Sequence[tuple[Limit, str]]) -> list[Reading]:
    """What the buckets hold, taking nothing; noted too."""
    return _ask(limits, calls=0)[1]


def _ask(limits: Sequence[tuple[Limit, str]], calls: int) -> tuple[bool, list[Reading]]:
    if not limits:
        return True, []
    keys = [limit.key(scope) for limit, scope in limits]
    numbers: list[Any] = [calls]
    for limit, _ in limits:
        numbers += limit.capacity, limit.quota, limit.window
    answer = valkey.ask(lambda server: _take(server, keys, numbers), otherwise=None)
    if answer is None:
        return True, []
    readings = [
        _reading(limit, float(answer[1 + 2 * place]), float(answer[2 + 2 * place]))
        for place, (limit, _) in enumerate(limits)
    ]
    _noted.get({}).update({reading.limit.name: reading for reading in readings})
    return bool(answer[0]), readings


def give_back(limits: Sequence[tuple[Limit, str]]) -> None:
    """Undo `take`, for limits that count failures only, and say so in the answer's headers; the next `take` sees to it
    that no bucket is over-full."""
    keys = [limit.key(scope) for limit, scope in limits]
    levels: list[bytes] = valkey.ask(lambda server: _give_back(server, keys, []), otherwise=[])
    readings = _noted.get({})
    for (limit, _), level in zip(limits, levels, strict=False):
        if level and limit.name in readings:
            readings[limit.name] = _reading(limit, min(limit.capacity, float(level)), wait=0)


def after(now: datetime, seconds: int) -> datetime:
    return now + timedelta(seconds=seconds)


def _reading(limit: Limit, level: float, wait: float) -> Reading:
    full_in = (limit.capacity - level) * limit.window / limit.quota
    left = max(0, math.floor(level + _ROUNDED))
    return Reading(limit, left=left, reset=math.ceil(full_in - _ROUNDED), wait=math.ceil(wait))
