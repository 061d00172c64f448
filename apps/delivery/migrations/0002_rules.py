"""Rules that no path of writing can forget: nothing points out of its tenant, what is published stays, what has ended
stays ended."""

from django.db import migrations

TABLES = ("course", "courseversion", "playpackage", "enrollment", "device", "playsession", "sessionchange")
SAME_CLIENT = (
    ("courseversion", "course_id", "delivery_course", "id"),
    ("playpackage", "version_id", "delivery_courseversion", "id"),
    ("enrollment", "user_id", "tenants_enduser", "uid"),
    ("enrollment", "course_version_id", "delivery_courseversion", "id"),
    ("device", "user_id", "tenants_enduser", "uid"),
    ("playsession", "user_id", "tenants_enduser", "uid"),
    ("playsession", "enrollment_id", "delivery_enrollment", "id"),
    ("playsession", "course_version_id", "delivery_courseversion", "id"),
    ("playsession", "device_id", "delivery_device", "id"),
    ("sessionchange", "session_id", "delivery_playsession", "id"),
)
KEEP = """
CREATE FUNCTION delivery_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of % is not changed', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END $$;

CREATE TRIGGER course_version_kept BEFORE UPDATE ON delivery_courseversion
FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION delivery_keep();

CREATE TRIGGER play_package_kept BEFORE UPDATE ON delivery_playpackage
FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION delivery_keep();

CREATE TRIGGER session_change_kept BEFORE UPDATE ON delivery_sessionchange
FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION delivery_keep();

-- Whose way it is, and through what, is said when it begins.
CREATE TRIGGER play_session_subject_kept BEFORE UPDATE ON delivery_playsession
FOR EACH ROW WHEN (
    (OLD.user_id, OLD.enrollment_id, OLD.course_version_id, OLD.device_id, OLD.attempt_number, OLD.started_at)
    IS DISTINCT FROM
    (NEW.user_id, NEW.enrollment_id, NEW.course_version_id, NEW.device_id, NEW.attempt_number, NEW.started_at)
) EXECUTE FUNCTION delivery_keep();

CREATE TRIGGER play_session_ended_kept BEFORE UPDATE OF state ON delivery_playsession
FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL AND NEW.ended_at IS NULL) EXECUTE FUNCTION delivery_keep();

CREATE TRIGGER play_session_version_steps BEFORE UPDATE OF version, lamport ON delivery_playsession
FOR EACH ROW WHEN (NEW.version NOT IN (OLD.version, OLD.version + 1) OR NEW.lamport < OLD.lamport)
EXECUTE FUNCTION delivery_keep();

-- They are only ever added to, at the end: so one look along both is enough, however many there are.
CREATE TRIGGER play_session_completed_kept BEFORE UPDATE OF completed_lessons ON delivery_playsession
FOR EACH ROW WHEN (NOT starts_with(NEW.completed_lessons::text, rtrim(OLD.completed_lessons::text, ']')))
EXECUTE FUNCTION delivery_keep();
"""
UNKEEP = """
DROP TRIGGER play_session_completed_kept ON delivery_playsession;
DROP TRIGGER play_session_version_steps ON delivery_playsession;
DROP TRIGGER play_session_ended_kept ON delivery_playsession;
DROP TRIGGER play_session_subject_kept ON delivery_playsession;
DROP TRIGGER session_change_kept ON delivery_sessionchange;
DROP TRIGGER play_package_kept ON delivery_playpackage;
DROP TRIGGER course_version_kept ON delivery_courseversion;
DROP FUNCTION delivery_keep;
"""


def stay(table):
    return migrations.RunSQL(
        f"CREATE TRIGGER stay_with_client BEFORE UPDATE OF client_id ON delivery_{table} FOR EACH ROW"
        " WHEN (OLD.client_id <> NEW.client_id) EXECUTE FUNCTION catalog_stay_with_client()",
        f"DROP TRIGGER stay_with_client ON delivery_{table}",
    )


def same_client(table, column, parent, key):
    name = f"{table}_{column.removesuffix('_id')}_of_same_client"
    return migrations.RunSQL(
        f"ALTER TABLE delivery_{table} ADD CONSTRAINT {name} FOREIGN KEY (client_id, {column})"
        f" REFERENCES {parent} (client_id, {key})",
        f"ALTER TABLE delivery_{table} DROP CONSTRAINT {name}",
    )


class Migration(migrations.Migration):
    dependencies = [("delivery", "0001_initial"), ("catalog", "0002_rules"), ("tenants", "0001_initial")]

    operations = [
        *(stay(table) for table in TABLES),
        *(same_client(*rule) for rule in SAME_CLIENT),
        migrations.RunSQL(KEEP, UNKEEP),
    ]
