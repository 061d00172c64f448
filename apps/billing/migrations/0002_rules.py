"""The one statement that charges, and the triggers that hold the ledger to what it is."""

from django.db import migrations

from apps.tenants.isolation import isolate

TENANT_TABLES = [
    "billing_commercialpolicy",
    "billing_policyrevision",
    "billing_creditaccount",
    "billing_ledgerentry",
    "billing_creditlot",
    "billing_usageevent",
    "billing_usagecounter",
    "billing_usageday",
    "billing_meteredday",
    "billing_statement",
    "billing_spendingwarning",
]
APPEND_ONLY = ["billing_policyrevision", "billing_ledgerentry", "billing_usageevent", "billing_spendingwarning"]

REFUSE_CHANGE = """
CREATE FUNCTION billing_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""

# The account and the last entry of its ledger say the same at the end of every transaction, whoever wrote them.
ENTRY_FOLLOWS_ACCOUNT = """
CREATE FUNCTION billing_entry_follows_account() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    account billing_creditaccount%ROWTYPE;
BEGIN
    SELECT * INTO account FROM billing_creditaccount WHERE client_id = NEW.client_id;
    IF account.entries IS DISTINCT FROM NEW.sequence OR account.credits IS DISTINCT FROM NEW.balance_after THEN
        RAISE EXCEPTION 'a ledger entry must be the last of its account' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER entry_follows_account AFTER INSERT ON billing_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION billing_entry_follows_account();
"""

ACCOUNT_FOLLOWS_RULES = """
CREATE FUNCTION billing_account_keeps_floor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT coalesce((SELECT allow_negative FROM billing_commercialpolicy WHERE client_id = NEW.client_id), false) THEN
        RAISE EXCEPTION 'the balance may not go below zero' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER account_keeps_floor BEFORE UPDATE ON billing_creditaccount
    FOR EACH ROW WHEN (NEW.credits < 0 AND NEW.credits < OLD.credits) EXECUTE FUNCTION billing_account_keeps_floor();
CREATE FUNCTION billing_account_has_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bound text := coalesce(current_setting('app.client_id', true), '');
BEGIN
    -- This looks when the transaction ends, and by then another client may be bound, or none.
    PERFORM set_config('app.client_id', NEW.client_id, true);
    IF NOT EXISTS (
        SELECT 1 FROM billing_ledgerentry
        WHERE client_id = NEW.client_id AND sequence = NEW.entries AND balance_after = NEW.credits
    ) THEN
        RAISE EXCEPTION 'credits moved without a ledger entry' USING ERRCODE = 'check_violation';
    END IF;
    PERFORM set_config('app.client_id', bound, true);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER account_has_entry AFTER UPDATE ON billing_creditaccount DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.credits <> OLD.credits OR NEW.entries <> OLD.entries)
    EXECUTE FUNCTION billing_account_has_entry();
CREATE FUNCTION billing_account_begins_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.credits <> 0 OR NEW.entries <> 0 OR NEW.received <> 0 THEN
        RAISE EXCEPTION 'an account begins empty' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER account_begins_empty BEFORE INSERT ON billing_creditaccount
    FOR EACH ROW EXECUTE FUNCTION billing_account_begins_empty();
"""

# Quota, balance, usage event, counter, lots, account and ledger entry in one round trip. The account's row is locked
# first and, so that it is held shortly, this is the last thing that a transaction does. The verdict is one of
#   charged    done
#   repeated   this key was charged before: nothing done
#   quota      refused: `used` of `quota`
#   balance    refused: `spendable` of `received` is less than `price`
#   expired    nothing done: credits have expired that are not booked yet; book them and ask again
CHARGE = """
CREATE FUNCTION billing_charge(
    the_client text, the_event text, the_key text, the_activity text, the_request text,
    the_usage_id text, the_entry_id text, the_period date, the_shard smallint, the_time timestamptz,
    OUT verdict text, OUT used bigint, OUT quota bigint, OUT price bigint, OUT spendable bigint, OUT received bigint
) LANGUAGE plpgsql AS $$
DECLARE
    policy billing_commercialpolicy%ROWTYPE;
    account billing_creditaccount%ROWTYPE;
    lot record;
    owed bigint;
    part bigint;
    the_sequence bigint;
BEGIN
    SELECT * INTO policy FROM billing_commercialpolicy WHERE client_id = the_client;
    quota := (policy.quotas ->> the_event)::bigint;
    price := coalesce((policy.prices ->> the_event)::bigint, 0);

    IF quota IS NOT NULL OR price > 0 THEN
        SELECT * INTO account FROM billing_creditaccount WHERE client_id = the_client FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            INSERT INTO billing_creditaccount (client_id, credits, entries, received) VALUES (the_client, 0, 0, 0)
                ON CONFLICT (client_id) DO NOTHING;
            SELECT * INTO account FROM billing_creditaccount WHERE client_id = the_client FOR NO KEY UPDATE;
        END IF;
        -- Again: the terms may have changed while we waited for whoever held the account.
        SELECT * INTO policy FROM billing_commercialpolicy WHERE client_id = the_client;
        quota := (policy.quotas ->> the_event)::bigint;
        price := coalesce((policy.prices ->> the_event)::bigint, 0);
        the_shard := 0;
    END IF;

    IF EXISTS (SELECT 1 FROM billing_usageevent e WHERE e.client_id = the_client AND e.key = the_key) THEN
        verdict := 'repeated';
        RETURN;
    END IF;

    IF quota IS NOT NULL THEN
        SELECT coalesce(sum(c.used), 0) INTO used FROM billing_usagecounter c
            WHERE c.client_id = the_client AND c.period = the_period AND c.event_type = the_event;
        IF used >= quota THEN
            verdict := 'quota';
            RETURN;
        END IF;
    END IF;

    IF price > 0 THEN
        IF EXISTS (
            SELECT 1 FROM billing_creditlot l
            WHERE l.client_id = the_client AND l.is_open AND l.expires_at <= the_time
        ) THEN
            verdict := 'expired';
            RETURN;
        END IF;
        spendable := account.credits;
        received := account.received;
        IF spendable < price AND NOT policy.allow_negative THEN
            verdict := 'balance';
            RETURN;
        END IF;
        owed := LEAST(price, GREATEST(account.credits, 0));
        IF owed > 0 THEN
            FOR lot IN
                SELECT l.id, l.remaining FROM billing_creditlot l
                WHERE l.client_id = the_client AND l.is_open ORDER BY l.expires_at NULLS LAST, l.id
            LOOP
                part := LEAST(owed, lot.remaining);
                UPDATE billing_creditlot SET remaining = remaining - part, is_open = remaining > part WHERE id = lot.id;
                owed := owed - part;
                EXIT WHEN owed = 0;
            END LOOP;
        END IF;
        UPDATE billing_creditaccount a SET credits = a.credits - price, entries = a.entries + 1
            WHERE a.client_id = the_client RETURNING a.entries INTO the_sequence;
        INSERT INTO billing_ledgerentry (
            id, client_id, sequence, kind, from_account, to_account, amount, balance_after,
            event_type, activity_id, request_id, note, author, created_at
        ) VALUES (
            the_entry_id, the_client, the_sequence, 'debit', 'balance', 'spent', price, account.credits - price,
            the_event, the_activity, the_request, '', '', the_time
        );
    END IF;

    INSERT INTO billing_usageevent (
        id, client_id, key, event_type, activity_id, request_id, period, price, entry_id, created_at
    ) VALUES (
        the_usage_id, the_client, the_key, the_event, the_activity, the_request, the_period, price,
        CASE WHEN price > 0 THEN the_entry_id END, the_time
    ) ON CONFLICT (client_id, key) DO NOTHING;
    IF NOT FOUND THEN
        -- Without a lock another transaction can have been faster: then it has done all of this.
        verdict := 'repeated';
        RETURN;
    END IF;
    INSERT INTO billing_usagecounter AS c (client_id, period, event_type, shard, used)
        VALUES (the_client, the_period, the_event, the_shard, 1)
        ON CONFLICT (client_id, period, event_type, shard) DO UPDATE SET used = c.used + 1;
    verdict := 'charged';
END $$
"""


def append_only(table):
    return migrations.RunSQL(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION billing_refuse_change()",
        f"DROP TRIGGER append_only ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]

    operations = [
        *(isolate(table) for table in TENANT_TABLES),
        migrations.RunSQL(REFUSE_CHANGE, "DROP FUNCTION billing_refuse_change()"),
        *(append_only(table) for table in APPEND_ONLY),
        migrations.RunSQL(ENTRY_FOLLOWS_ACCOUNT, "DROP FUNCTION billing_entry_follows_account() CASCADE"),
        migrations.RunSQL(
            ACCOUNT_FOLLOWS_RULES,
            [
                "DROP FUNCTION billing_account_keeps_floor() CASCADE",
                "DROP FUNCTION billing_account_has_entry() CASCADE",
                "DROP FUNCTION billing_account_begins_empty() CASCADE",
            ],
        ),
        migrations.RunSQL(
            CHARGE,
            "DROP FUNCTION billing_charge(text, text, text, text, text, text, text, date, smallint, timestamptz)",
        ),
    ]
