"""Rules that no path of writing can forget: versions are counted, and nothing points out of its tenant."""

from django.db import migrations

TABLES = ("catalog_lesson", "catalog_lessonsession", "catalog_shelfentry")

# A version is never given twice, not even when the transaction that took it rolls back: what a process remembers
# under a version can be taken at its word.
COUNT = """
CREATE SEQUENCE catalog_version_numbers;

CREATE FUNCTION catalog_count_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- In order of client, so that two statements over several clients cannot wait for each other.
    INSERT INTO catalog_catalogversion (client_id, version)
    SELECT client_id, nextval('catalog_version_numbers')
    FROM (SELECT DISTINCT client_id FROM touched ORDER BY client_id) AS clients
    ON CONFLICT (client_id) DO UPDATE SET version = nextval('catalog_version_numbers');
    RETURN NULL;
END $$;
"""
UNCOUNT = "DROP FUNCTION catalog_count_change; DROP SEQUENCE catalog_version_numbers;"

STAY = """
CREATE FUNCTION catalog_stay_with_client() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of % stays with its client', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
"""

# Read under the writer's own row-level security: another client's lesson and one that never existed look alike.
SELECTABLE = """
CREATE FUNCTION catalog_refuse_foreign_lesson() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM catalog_lesson WHERE id = NEW.lesson_id AND client_id IN (NEW.client_id, 'gofa')
    ) THEN
        RAISE EXCEPTION 'lesson % cannot be selected by client %', NEW.lesson_id, NEW.client_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'shelf_entry_lesson_selectable';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER shelf_entry_lesson_selectable
AFTER INSERT OR UPDATE OF client_id, lesson_id ON catalog_shelfentry
DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION catalog_refuse_foreign_lesson();
"""
UNSELECTABLE = """
DROP TRIGGER shelf_entry_lesson_selectable ON catalog_shelfentry;
DROP FUNCTION catalog_refuse_foreign_lesson;
"""

SAME_CLIENT = """
ALTER TABLE catalog_lessonsession ADD CONSTRAINT lesson_session_of_same_client
FOREIGN KEY (client_id, lesson_id) REFERENCES catalog_lesson (client_id, id) DEFERRABLE INITIALLY IMMEDIATE;
"""


def triggers(table):
    """A row keeps its client, so what a statement touched is told by either of its transition tables."""
    events = {"insert": "NEW", "update": "OLD", "delete": "OLD"}
    forward = [
        f"CREATE TRIGGER count_{event} AFTER {event.upper()} ON {table} REFERENCING {rows} TABLE AS touched"
        " FOR EACH STATEMENT EXECUTE FUNCTION catalog_count_change()"
        for event, rows in events.items()
    ]
    forward.append(
        f"CREATE TRIGGER stay_with_client BEFORE UPDATE OF client_id ON {table} FOR EACH ROW"
        " WHEN (OLD.client_id <> NEW.client_id) EXECUTE FUNCTION catalog_stay_with_client()"
    )
    names = [*(f"count_{event}" for event in events), "stay_with_client"]
    return migrations.RunSQL(forward, [f"DROP TRIGGER {name} ON {table}" for name in names])


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.RunSQL(
            SAME_CLIENT, "ALTER TABLE catalog_lessonsession DROP CONSTRAINT lesson_session_of_same_client"
        ),
        migrations.RunSQL(COUNT, UNCOUNT),
        migrations.RunSQL(STAY, "DROP FUNCTION catalog_stay_with_client"),
        *(triggers(table) for table in TABLES),
        migrations.RunSQL(SELECTABLE, UNSELECTABLE),
    ]
