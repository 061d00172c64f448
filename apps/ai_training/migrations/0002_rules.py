"""Rules that no path of writing can forget: nothing points out of its tenant, and what is closed stays closed."""

from django.db import migrations

OWN_TABLES = {
    "ai_training_exercise": (),
    "ai_training_movesession": ("completed", "abandoned"),
    "ai_training_routinetemplate": ("archived",),
    "ai_training_routinetemplateversion": ("superseded",),
    "ai_training_routinestep": (),
    "ai_training_visibletemplate": (),
    "ai_training_trainingplan": ("superseded",),
    "ai_training_routineinstance": ("completed", "skipped", "cancelled"),
    "ai_training_routinerun": ("completed", "abandoned"),
    "ai_training_runstep": ("completed",),
}
PEOPLE = ("movesession", "trainingplan", "routineinstance", "routinerun")
SAME_CLIENT = (
    ("routinetemplateversion", "template_id", "routinetemplate"),
    ("routinestep", "version_id", "routinetemplateversion"),
    ("routineinstance", "plan_id", "trainingplan"),
    ("routinerun", "instance_id", "routineinstance"),
    ("runstep", "run_id", "routinerun"),
    ("runstep", "session_id", "movesession"),
)
OWN_OR_LIBRARY = (
    ("movesession", "exercise_id", "exercise"),
    ("routinestep", "exercise_id", "exercise"),
    ("routineinstance", "template_id", "routinetemplate"),
    ("routineinstance", "version_id", "routinetemplateversion"),
    ("runstep", "step_id", "routinestep"),
    ("visibletemplate", "template_id", "routinetemplate"),
)

# Read under the writer's own row-level security: another client's row and one that never existed look alike.
SELECTABLE = """
CREATE FUNCTION ai_training_refuse_foreign() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    referred text := to_jsonb(NEW) ->> TG_ARGV[1];
    found boolean;
BEGIN
    EXECUTE format(
        'SELECT EXISTS (SELECT 1 FROM %I WHERE id = %L AND client_id IN (%L, ''gofa''))',
        TG_ARGV[0], referred, NEW.client_id
    ) INTO found;
    IF NOT found THEN
        RAISE EXCEPTION '% % is neither of client % nor of the library', TG_ARGV[0], referred, NEW.client_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END $$;
"""
CLOSED = """
CREATE FUNCTION ai_training_keep_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of % that is % stays so', TG_TABLE_NAME, OLD.status
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END $$;
"""
FROZEN = """
CREATE FUNCTION ai_training_keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a version that was published is not changed'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'routine_version_frozen';
END $$;

CREATE TRIGGER routine_version_frozen BEFORE UPDATE ON ai_training_routinetemplateversion FOR EACH ROW
WHEN (OLD.status <> 'draft' AND (
    OLD.number, OLD.name, OLD.description, OLD.goal, OLD.intensity, OLD.minutes, OLD.equipment, OLD.risk_tiers
) IS DISTINCT FROM (
    NEW.number, NEW.name, NEW.description, NEW.goal, NEW.intensity, NEW.minutes, NEW.equipment, NEW.risk_tiers
)) EXECUTE FUNCTION ai_training_keep_version();

CREATE TRIGGER routine_version_not_draft_again BEFORE UPDATE ON ai_training_routinetemplateversion FOR EACH ROW
WHEN (OLD.status <> 'draft' AND NEW.status = 'draft') EXECUTE FUNCTION ai_training_keep_version();

CREATE FUNCTION ai_training_keep_steps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE of_version bigint := CASE TG_OP WHEN 'DELETE' THEN OLD.version_id ELSE NEW.version_id END;
BEGIN
    IF EXISTS (SELECT 1 FROM ai_training_routinetemplateversion WHERE id = of_version AND status <> 'draft') THEN
        RAISE EXCEPTION 'the steps of a version that was published are not changed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'routine_version_frozen';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER routine_version_frozen AFTER INSERT OR UPDATE OR DELETE ON ai_training_routinestep
FOR EACH ROW EXECUTE FUNCTION ai_training_keep_steps();
"""
UNFROZEN = """
DROP TRIGGER routine_version_frozen ON ai_training_routinestep;
DROP FUNCTION ai_training_keep_steps;
DROP TRIGGER routine_version_not_draft_again ON ai_training_routinetemplateversion;
DROP TRIGGER routine_version_frozen ON ai_training_routinetemplateversion;
DROP FUNCTION ai_training_keep_version;
"""


def stay(table):
    return migrations.RunSQL(
        f"CREATE TRIGGER stay_with_client BEFORE UPDATE OF client_id ON {table} FOR EACH ROW"
        " WHEN (OLD.client_id <> NEW.client_id) EXECUTE FUNCTION catalog_stay_with_client()",
        f"DROP TRIGGER stay_with_client ON {table}",
    )


def keep_closed(table, states):
    named = ", ".join(f"'{state}'" for state in states)
    return migrations.RunSQL(
        f"CREATE TRIGGER keep_closed BEFORE UPDATE OF status ON {table} FOR EACH ROW"
        f" WHEN (OLD.status IN ({named}) AND NEW.status <> OLD.status) EXECUTE FUNCTION ai_training_keep_closed()",
        f"DROP TRIGGER keep_closed ON {table}",
    )


def same_client(table, column, parent, key="id"):
    name = f"{table}_{column.removesuffix('_id')}_of_same_client"
    room = "tenants" if parent == "enduser" else "ai_training"
    return migrations.RunSQL(
        f"ALTER TABLE ai_training_{table} ADD CONSTRAINT {name} FOREIGN KEY (client_id, {column})"
        f" REFERENCES {room}_{parent} (client_id, {key}) DEFERRABLE INITIALLY IMMEDIATE",
        f"ALTER TABLE ai_training_{table} DROP CONSTRAINT {name}",
    )


def own_or_library(table, column, parent):
    name = f"{table}_{column.removesuffix('_id')}_selectable"
    return migrations.RunSQL(
        f"CREATE CONSTRAINT TRIGGER {name} AFTER INSERT OR UPDATE OF client_id, {column} ON ai_training_{table}"
        " DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW"
        f" EXECUTE FUNCTION ai_training_refuse_foreign('ai_training_{parent}', '{column}')",
        f"DROP TRIGGER {name} ON ai_training_{table}",
    )


class Migration(migrations.Migration):
    dependencies = [("ai_training", "0001_initial"), ("catalog", "0002_rules")]

    operations = [
        *(stay(table) for table in OWN_TABLES),
        *(same_client(table, "user_id", "enduser", "uid") for table in PEOPLE),
        *(same_client(*rule) for rule in SAME_CLIENT),
        migrations.RunSQL(SELECTABLE, "DROP FUNCTION ai_training_refuse_foreign"),
        *(own_or_library(*rule) for rule in OWN_OR_LIBRARY),
        migrations.RunSQL(CLOSED, "DROP FUNCTION ai_training_keep_closed"),
        *(keep_closed(table, states) for table, states in OWN_TABLES.items() if states),
        migrations.RunSQL(FROZEN, UNFROZEN),
    ]
