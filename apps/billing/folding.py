"""How do counted calls get from Valkey into PostgreSQL, each once? (contract 7)

What was counted is renamed to a batch with an id of its own. A batch is added in one transaction with its row in
MeteredFold, and deleted only then: a worker that dies in between leaves it to the next run, which adds it if that row
is not there. The rows are kept for days, longer than a batch can wait in a Valkey that is away.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.db import connection
from django.db.models.functions import Now
from redis import Redis

from apps.api import valkey
from apps.billing.metering import COUNTS, QUARTER_SECONDS, Key, key_of
from apps.billing.models import MeteredFold
from apps.kernel.ids import new_id
from apps.tenants import binding
from apps.tenants.models import Client

log = structlog.get_logger(__name__)

BATCHES = "metered:batches"
BATCH = "metered:batch:"
KEPT = timedelta(days=14)

# KEYS: the counts, the set of batches, the new batch. ARGV: its id. Answer: all batches that there are.
_gather = valkey.script("""
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('RENAME', KEYS[1], KEYS[3])
  redis.call('SADD', KEYS[2], ARGV[1])
end
return redis.call('SMEMBERS', KEYS[2])
""")


def fold() -> int:
    """Add what was counted to the days of the clients; how many batches. Nothing while Valkey is away."""
    batch = new_id("fold_")
    found: list[bytes] = valkey.ask(lambda server: _gather(server, [COUNTS, BATCHES, BATCH + batch], [batch]), [])
    return sum(_fold_batch(name.decode()) for name in sorted(found))


def _fold_batch(batch: str) -> bool:
    """One that fails stays for the next run, and keeps no other from being folded."""
    try:
        return _folded(batch)
    except Exception:
        log.exception("batch_not_folded", batch=batch)
        return False


def _folded(batch: str) -> bool:
    counted: Any = valkey.ask(lambda server: server.hgetall(BATCH + batch), None)
    if counted is None:
        return False
    _add(batch, {key_of(name.decode()): int(calls) for name, calls in counted.items()})
    return valkey.ask(lambda server: _forget(server, batch), False)


def purge() -> int:
    """Forget which batches were folded long ago; how many."""
    return MeteredFold.objects.filter(folded_at__lt=Now() - KEPT).delete()[0]


def _forget(server: Redis, batch: str) -> bool:
    with server.pipeline(transaction=True) as pipeline:
        pipeline.delete(BATCH + batch)
        pipeline.srem(BATCHES, batch)
        pipeline.execute()
    return True


def _add(batch: str, counted: Mapping[Key, int]) -> None:
    with binding.bound(binding.ALL_CLIENTS), binding.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_meteredfold (id, folded_at) VALUES (%s, now()) ON CONFLICT (id) DO NOTHING", [batch]
        )
        if not cursor.rowcount:
            return
        days = _by_day(counted)
        # In order, so that two folds never wait for each other.
        rows = [[*key, days[key]] for key in sorted(days)]
        cursor.execute(
            "INSERT INTO billing_meteredday AS d (client_id, day, endpoint, calls)"
            " SELECT * FROM unnest(%s::text[], %s::date[], %s::text[], %s::bigint[])"
            " ON CONFLICT (client_id, day, endpoint) DO UPDATE SET calls = d.calls + EXCLUDED.calls",
            [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []],
        )


def _by_day(counted: Mapping[Key, int]) -> Counter[tuple[str, date, str]]:
    """The same calls by the local day of their client; those of a client that is no more count for nobody."""
    clients = {client_id for client_id, _, _ in counted}
    zones = {client.id: ZoneInfo(client.time_zone) for client in Client.objects.filter(pk__in=clients)}
    days: Counter[tuple[str, date, str]] = Counter()
    for (client_id, endpoint, quarter), calls in counted.items():
        if client_id in zones:
            local = datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC).astimezone(zones[client_id])
            days[client_id, local.date(), endpoint] += calls
    return days
