"""Has anything been lost, doubled or left half done? The promises of quality.md, as questions to the database."""

import json
from collections.abc import Mapping
from typing import Any

import psycopg

from apps.ops import engines
from tests.ops.running import Product, eventually

# Each finds what must not be: a row is a broken promise.
_NEVER = {
    "a call that has more than one effect": """
        SELECT display_name, count(*) FROM plays_lessonplay GROUP BY display_name HAVING count(*) > 1""",
    "a play without its one usage event, or the other way round": """
        SELECT play.id, usage.activity_id, usage.events
        FROM plays_lessonplay AS play
        FULL JOIN (
            SELECT client_id, activity_id, count(*) AS events FROM billing_usageevent GROUP BY client_id, activity_id
        ) AS usage ON usage.client_id = play.client_id AND usage.activity_id = play.id
        WHERE play.id IS NULL OR usage.events IS DISTINCT FROM 1""",
    "a play without its one debit of the price, or the other way round": """
        SELECT usage.id, usage.price, debit.activity_id, debit.entries, debit.amount
        FROM billing_usageevent AS usage
        FULL JOIN (
            SELECT client_id, activity_id, count(*) AS entries, sum(amount) AS amount
            FROM billing_ledgerentry WHERE kind = 'debit' GROUP BY client_id, activity_id
        ) AS debit ON debit.client_id = usage.client_id AND debit.activity_id = usage.activity_id
        WHERE (debit.entries, debit.amount) IS DISTINCT FROM (1, usage.price)""",
    "a play without its one event in the outbox, or the other way round": """
        SELECT play.id, told.subject_id, told.events
        FROM plays_lessonplay AS play
        FULL JOIN (
            SELECT client_id, subject_id, count(*) AS events FROM events_outboxevent
            WHERE event_type = 'lesson_play.created' GROUP BY client_id, subject_id
        ) AS told ON told.client_id = play.client_id AND told.subject_id = play.id
        WHERE play.id IS NULL OR told.events IS DISTINCT FROM 1""",
    "a play without its stored answer, or the other way round": """
        SELECT play.id, answer.play_id
        FROM plays_lessonplay AS play
        FULL JOIN (
            SELECT client_id, convert_from(body, 'UTF8')::jsonb ->> 'lessonPlayId' AS play_id
            FROM api_storedresponse WHERE status = 200
        ) AS answer ON answer.client_id = play.client_id AND answer.play_id = play.id
        WHERE play.id IS NULL OR answer.play_id IS NULL""",
    "a ledger that does not step by one, or does not add up line by line": """
        SELECT * FROM (
            SELECT client_id, sequence, balance_after,
                row_number() OVER chain AS place, sum(credits) OVER chain AS added
            FROM billing_ledgerentry WINDOW chain AS (PARTITION BY client_id ORDER BY sequence)
        ) AS entry WHERE sequence <> place OR balance_after <> added""",
    "a balance that is not the sum of its ledger": """
        SELECT account.client_id, account.credits, account.entries, ledger.credits, ledger.entries
        FROM billing_creditaccount AS account
        FULL JOIN (
            SELECT client_id, sum(credits) AS credits, count(*) AS entries FROM billing_ledgerentry GROUP BY client_id
        ) AS ledger ON ledger.client_id = account.client_id
        WHERE (account.credits, account.entries) IS DISTINCT FROM (ledger.credits, ledger.entries)""",
    "a balance below its floor": """
        SELECT entry.client_id, entry.sequence, entry.balance_after
        FROM billing_ledgerentry AS entry JOIN billing_commercialpolicy AS policy USING (client_id)
        WHERE entry.balance_after < 0 AND NOT policy.allow_negative""",
    "a counter that is not the number of its events, or is above its quota": """
        SELECT client_id, event_type, period, used, events, quotas
        FROM (
            SELECT client_id, event_type, period, sum(used) AS used FROM billing_usagecounter
            GROUP BY client_id, event_type, period
        ) AS counter
        FULL JOIN (
            SELECT client_id, event_type, period, count(*) AS events FROM billing_usageevent
            GROUP BY client_id, event_type, period
        ) AS event USING (client_id, event_type, period)
        LEFT JOIN billing_commercialpolicy AS policy USING (client_id)
        WHERE used IS DISTINCT FROM events OR used > (quotas ->> event_type)::bigint""",
    "a dead letter": "SELECT id, event_type, last_error FROM events_outboxevent WHERE state = 'dead'",
}
_UNDELIVERED = "SELECT id FROM events_outboxevent WHERE state = 'pending'"
_PLAYS = "SELECT id, display_name FROM plays_lessonplay"


def assert_kept(product: Product, *, acknowledged: Mapping[str, bytes], refused: set[str]) -> None:
    """After a fault, once every call has its answer: what was acknowledged is there, what was refused is not, and the
    books of all clients are right. Waits until all events are delivered."""
    eventually(lambda: not _ask(product, _UNDELIVERED))
    plays = {key: play_id for play_id, key in _ask(product, _PLAYS)}
    promised = {key: json.loads(body)["lessonPlayId"] for key, body in acknowledged.items()}
    lost = {key: play_id for key, play_id in promised.items() if plays.get(key) != play_id}
    assert not lost, f"{len(lost)} of {len(promised)} acknowledged are not there: {sorted(lost.items())[:3]}"
    assert not refused & plays.keys(), "refused, and done"
    broken = {promise: rows[:3] for promise, query in _NEVER.items() if (rows := _ask(product, query))}
    assert not broken, broken
    verified = product.manage("verify_ledger")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def _ask(product: Product, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(
        engines.database_url(product.data_dir), autocommit=True, options="-c app.client_id=*"
    ) as connection:
        return connection.execute(query.encode()).fetchall()
