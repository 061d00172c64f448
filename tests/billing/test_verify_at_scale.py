"""A million entries are verified, and the one that is wrong is found. Prints how long it took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from apps.billing.verification import differences
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make

CLIENTS, ENTRIES = 10, 100_000

# A grant of a hundred times what is spent, then debits of one credit each with their usage events and plays.
_LEDGER = """
INSERT INTO billing_ledgerentry (id, client_id, sequence, kind, from_account, to_account, amount, balance_after,
    event_type, activity_id, request_id, note, author, created_at)
SELECT 'led_' || %(client)s || n, %(client)s, n,
    CASE n WHEN 1 THEN 'grant' ELSE 'debit' END,
    CASE n WHEN 1 THEN 'issued' ELSE 'balance' END,
    CASE n WHEN 1 THEN 'balance' ELSE 'spent' END,
    CASE n WHEN 1 THEN %(granted)s ELSE 1 END,
    %(granted)s - n + 1,
    CASE n WHEN 1 THEN '' ELSE 'lesson_play.created' END,
    CASE n WHEN 1 THEN '' ELSE 'lpl_' || %(client)s || n END,
    'req_01JDXW4Z9M3V5T8Q2R' || lpad(n::text, 8, '0'), '', '', timestamptz '2026-05-01 00:00Z' + n * interval '1 s'
FROM generate_series(1, %(entries)s) AS n
"""
_USAGE = """
INSERT INTO billing_usageevent (id, client_id, key, event_type, activity_id, request_id, period, price, entry_id,
    created_at)
SELECT 'use_' || client_id || sequence, client_id, event_type || ':' || activity_id, event_type, activity_id,
    request_id, '2026-05-01', amount, id, created_at
FROM billing_ledgerentry WHERE client_id = %(client)s AND kind = 'debit'
"""
# Each like the one that is there.
_PLAYS = """
INSERT INTO plays_lessonplay
SELECT (jsonb_populate_record(play, jsonb_build_object('id', activity_id))).*
FROM plays_lessonplay AS play JOIN billing_ledgerentry AS entry USING (client_id)
WHERE client_id = %(client)s AND kind = 'debit' AND sequence > 2
"""
_REST = (
    "INSERT INTO billing_usagecounter (client_id, period, event_type, shard, used)"
    " VALUES (%(client)s, '2026-05-01', 'lesson_play.created', 0, %(entries)s - 1)",
    "INSERT INTO billing_creditaccount (client_id, credits, entries, received)"
    " VALUES (%(client)s, %(granted)s - %(entries)s + 1, %(entries)s, %(granted)s)",
    "INSERT INTO billing_creditlot (id, client_id, entry_id, credits, remaining, is_open, created_at)"
    " VALUES ('grant_' || %(client)s, %(client)s, 'led_' || %(client)s || 1, %(granted)s,"
    " %(granted)s - %(entries)s + 1, true, '2026-05-01 00:00Z')",
)


@contextmanager
def past_the_triggers() -> Iterator[CursorWrapper]:
    tables = ("billing_ledgerentry", "billing_creditaccount")
    with binding.bound(binding.ALL_CLIENTS), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield cursor
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def fill(client: Client) -> None:
    make.make_play(make.make_user(client, "una"), make.make_lesson(client), id=f"lpl_{client.id}2")
    with past_the_triggers() as cursor:
        for statement in (_LEDGER, _USAGE, _PLAYS, *_REST):
            cursor.execute(statement, {"client": client.id, "granted": 100 * ENTRIES, "entries": ENTRIES})


@pytest.mark.soak
@pytest.mark.django_db(transaction=True)
def test_of_a_million_entries_the_one_that_is_wrong_is_found() -> None:
    for number in range(CLIENTS):
        fill(make.make_client(f"client-{number}"))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE billing_ledgerentry, billing_usageevent, plays_lessonplay")
    start = time.perf_counter()
    assert differences() == []
    print(f"{CLIENTS * ENTRIES} entries verified in {time.perf_counter() - start:.1f} s")
    with past_the_triggers() as cursor:
        cursor.execute("UPDATE billing_ledgerentry SET balance_after = 7 WHERE id = 'led_client-750000'")
    found = [str(difference) for difference in differences("client-7")]
    assert found == [
        "client-7: entry led_client-750000 leaves a balance of 7, not 9950001",
        "client-7: entry led_client-750001 leaves a balance of 9950000, not 6",
    ]
