"""Does the ledger add up? Rules that hold for any rows, whoever wrote them, as SQL that reads and nothing else.

Triggers and constraints hold most of them while rows are written. This is for what gets past those: a restored backup,
a hand in the database, a bug of ours. All rules look at one snapshot, so that calls under way are no differences.
"""

from dataclasses import dataclass

from django.db import connection

from apps.tenants import binding

MOST_LINES = 1_000
"""Of one rule: where everything differs, the rest says nothing new."""

# Each answers the client and what differs; row-level security leaves out the clients that were not asked for.
_CHAIN = """
SELECT client_id, CASE
    WHEN sequence <> previous + 1 THEN format('entry %s has sequence %s, after %s', id, sequence, previous)
    ELSE format('entry %s leaves a balance of %s, not %s', id, balance_after, before + credits)
END FROM (
    SELECT client_id, id, sequence, credits, balance_after,
        lag(sequence, 1, 0::bigint) OVER chain AS previous,
        lag(balance_after, 1, 0::bigint) OVER chain::numeric AS before
    FROM billing_ledgerentry WINDOW chain AS (PARTITION BY client_id ORDER BY sequence)
) AS entry
WHERE sequence <> previous + 1 OR balance_after <> before + credits
"""

_ACCOUNTS = """
SELECT client_id, format('the account has %s %s, its ledger %s', kept, what, added) FROM (
    SELECT client_id, count(*) AS entries, sum(credits) AS credits,
        coalesce(sum(amount) FILTER (WHERE kind = 'grant'), 0)
        - coalesce(sum(amount) FILTER (WHERE kind = 'expiry'), 0) AS received
    FROM billing_ledgerentry GROUP BY client_id
) AS ledger
FULL JOIN billing_creditaccount AS account USING (client_id)
CROSS JOIN LATERAL (VALUES
    ('credits', coalesce(account.credits, 0), coalesce(ledger.credits, 0)),
    ('entries', coalesce(account.entries, 0), coalesce(ledger.entries, 0)),
    ('credits received', coalesce(account.received, 0), coalesce(ledger.received, 0))
) AS compared (what, kept, added)
WHERE kept <> added
"""

_SPENDABLE = """
SELECT client_id,
    format('its grants have %s credits left, the account %s', coalesce(remaining, 0), coalesce(credits, 0))
FROM billing_creditaccount
FULL JOIN (
    SELECT client_id, sum(remaining) AS remaining FROM billing_creditlot GROUP BY client_id
) AS lots USING (client_id)
WHERE coalesce(remaining, 0) <> GREATEST(coalesce(credits, 0), 0)
"""

_LOTS = """
SELECT coalesce(entry.client_id, lot.client_id), CASE
    WHEN lot.id IS NULL THEN format('%s %s brought no credits', entry.kind, entry.id)
    WHEN entry.id IS NULL THEN format('credits %s have no entry that brought them', lot.id)
    ELSE format('credits %s are %s, %s left, and entry %s brought %s',
        lot.id, lot.credits, lot.remaining, entry.id, entry.amount)
END FROM (
    SELECT id, client_id, kind, amount FROM billing_ledgerentry WHERE kind IN ('grant', 'reversal')
) AS entry
FULL JOIN billing_creditlot AS lot ON lot.entry_id = entry.id AND lot.client_id = entry.client_id
WHERE lot.id IS NULL OR entry.id IS NULL OR lot.credits <> entry.amount
    OR lot.remaining NOT BETWEEN 0 AND lot.credits OR lot.is_open <> (lot.remaining > 0)
"""

_REVERSALS = """
SELECT reversal.client_id,
    format('reversal %s does not give back what debit %s took', reversal.id, reversal.reverses_id)
FROM billing_ledgerentry AS reversal
LEFT JOIN billing_ledgerentry AS debit
    ON debit.id = reversal.reverses_id AND debit.client_id = reversal.client_id AND debit.kind = 'debit'
WHERE reversal.kind = 'reversal' AND (reversal.amount, reversal.event_type, reversal.activity_id)
    IS DISTINCT FROM (debit.amount, debit.event_type, debit.activity_id)
"""

_DEBITS = """
SELECT coalesce(debit.client_id, event.client_id), CASE
    WHEN event.id IS NULL THEN format('debit %s is for no usage event', debit.id)
    WHEN debit.id IS NULL THEN format('usage event %s was not debited', event.id)
    ELSE format('usage event %s and debit %s differ', event.id, debit.id)
END FROM (
    SELECT id, client_id, amount, event_type, activity_id FROM billing_ledgerentry WHERE kind = 'debit'
) AS debit
FULL JOIN (
    SELECT id, client_id, price, event_type, activity_id, entry_id FROM billing_usageevent
    WHERE price <> 0 OR entry_id IS NOT NULL
) AS event ON event.entry_id = debit.id AND event.client_id = debit.client_id
WHERE event.id IS NULL OR debit.id IS NULL
    OR (event.price, event.event_type, event.activity_id) <> (debit.amount, debit.event_type, debit.activity_id)
"""

# The key is unique: as long as it is made of these, nothing is billed twice.
_KEYS = """
SELECT client_id, format('usage event %s has the key %s', id, key) FROM billing_usageevent
WHERE key <> event_type || ':' || activity_id
"""

_COUNTERS = """
SELECT client_id, format('%s of %s: counted %s, happened %s',
    event_type, to_char(period, 'YYYY-MM'), coalesce(used, 0), coalesce(happened, 0))
FROM (
    SELECT client_id, period, event_type, sum(used) AS used FROM billing_usagecounter
    GROUP BY client_id, period, event_type
) AS counted
FULL JOIN (
    SELECT client_id, period, event_type, count(*) AS happened FROM billing_usageevent
    GROUP BY client_id, period, event_type
) AS events USING (client_id, period, event_type)
WHERE coalesce(used, 0) <> coalesce(happened, 0)
"""

_FLOOR = """
SELECT client_id, format('entry %s leaves a balance of %s, which no policy allowed', id, balance_after)
FROM billing_ledgerentry
WHERE balance_after < 0 AND credits < 0 AND client_id NOT IN (
    SELECT client_id FROM billing_commercialpolicy WHERE allow_negative
    UNION SELECT client_id FROM billing_policyrevision WHERE allow_negative
)
"""

RULES = [_CHAIN, _ACCOUNTS, _SPENDABLE, _LOTS, _REVERSALS, _DEBITS, _KEYS, _COUNTERS, _FLOOR]
"""A room above, which knows what was charged for, adds its own when the process starts."""


@dataclass(frozen=True, slots=True)
class Difference:
    client_id: str
    text: str

    def __str__(self) -> str:
        return f"{self.client_id}: {self.text}"


def differences(client_id: str | None = None) -> list[Difference]:
    """What does not add up, of one client or of all; to be called outside of any transaction."""
    found: list[Difference] = []
    with binding.bound(client_id or binding.ALL_CLIENTS), binding.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # Nobody is waiting for it, and it reads whole tables.
        cursor.execute("SET LOCAL statement_timeout = '240s'")
        cursor.execute("SET LOCAL work_mem = '64MB'")
        for rule in RULES:
            cursor.execute(f"SELECT * FROM ({rule}) AS found (client_id, text) ORDER BY 1, 2 LIMIT {MOST_LINES}")  # noqa: S608 - all ours
            found += [Difference(*row) for row in cursor.fetchall()]
    return found
