"""Rules of the workspace that no path of writing can forget: tenants stay apart, live plans hold live lessons."""

from django.db import migrations

from apps.tenants.isolation import isolate

TABLES = (
    "catalog_plan",
    "catalog_planlesson",
    "catalog_mediafile",
    "catalog_subtitle",
    "catalog_subtitlecue",
    "catalog_lessontext",
)
SAME_CLIENT = (
    ("catalog_planlesson", "plan_lesson_of_same_client", "plan_id", "catalog_plan"),
    ("catalog_subtitle", "subtitle_of_same_client", "lesson_id", "catalog_lesson"),
    ("catalog_lessontext", "lesson_text_of_same_client", "lesson_id", "catalog_lesson"),
)

# Looked at when the transaction commits, so that a statement may turn a lesson off and the next one its plans. What it
# cannot see is another transaction's work: the services let only one at a time change a client's shelf and plans.
LIVE_PLANS = """
CREATE FUNCTION catalog_check_live_plans(of_client text, of_plan text, of_lesson text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE broken text;
BEGIN
    SELECT plan.id INTO broken
    FROM catalog_plan plan
    JOIN catalog_planlesson place ON place.plan_id = plan.id
    JOIN catalog_lesson lesson ON lesson.id = place.lesson_id
    LEFT JOIN catalog_shelfentry entry ON entry.client_id = plan.client_id AND entry.lesson_id = place.lesson_id
    WHERE plan.status = 'live'
      AND (of_client IS NULL OR plan.client_id = of_client)
      AND (of_plan IS NULL OR plan.id = of_plan)
      AND (of_lesson IS NULL OR place.lesson_id = of_lesson)
      AND NOT (lesson.status = 'active' AND COALESCE(entry.is_live, false))
    LIMIT 1;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'plan % is live and holds a lesson that is not', broken
            USING ERRCODE = 'check_violation', CONSTRAINT = 'live_plan_holds_live_lessons';
    END IF;
END $$;

CREATE FUNCTION catalog_plan_went_live() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalog_check_live_plans(NEW.client_id, NEW.id, NULL);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER live_plan_holds_live_lessons AFTER INSERT OR UPDATE OF status ON catalog_plan
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'live') EXECUTE FUNCTION catalog_plan_went_live();

CREATE FUNCTION catalog_plan_got_lesson() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalog_check_live_plans(NEW.client_id, NEW.plan_id, NEW.lesson_id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER live_plan_holds_live_lessons AFTER INSERT OR UPDATE ON catalog_planlesson
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION catalog_plan_got_lesson();

CREATE FUNCTION catalog_lesson_went_dark() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalog_check_live_plans(OLD.client_id, NULL, OLD.lesson_id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER live_plan_holds_live_lessons AFTER UPDATE OR DELETE ON catalog_shelfentry
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.is_live) EXECUTE FUNCTION catalog_lesson_went_dark();

CREATE FUNCTION catalog_lesson_was_archived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalog_check_live_plans(NULL, NULL, NEW.id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER live_plan_holds_live_lessons AFTER UPDATE OF status ON catalog_lesson
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status <> 'active')
EXECUTE FUNCTION catalog_lesson_was_archived();
"""
NO_LIVE_PLANS = """
DROP TRIGGER live_plan_holds_live_lessons ON catalog_lesson;
DROP TRIGGER live_plan_holds_live_lessons ON catalog_shelfentry;
DROP TRIGGER live_plan_holds_live_lessons ON catalog_planlesson;
DROP TRIGGER live_plan_holds_live_lessons ON catalog_plan;
DROP FUNCTION catalog_lesson_was_archived;
DROP FUNCTION catalog_lesson_went_dark;
DROP FUNCTION catalog_plan_got_lesson;
DROP FUNCTION catalog_plan_went_live;
DROP FUNCTION catalog_check_live_plans;
"""

# The shelf's function of 0002: it looks at `client_id` and `lesson_id`, which a place in a plan has too.
SELECTABLE = """
CREATE CONSTRAINT TRIGGER plan_lesson_selectable
AFTER INSERT OR UPDATE OF client_id, lesson_id ON catalog_planlesson
DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION catalog_refuse_foreign_lesson();
"""


def same_client(table, name, column, parent):
    return migrations.RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (client_id, {column})"
        f" REFERENCES {parent} (client_id, id) DEFERRABLE INITIALLY IMMEDIATE",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


def stay(table):
    return migrations.RunSQL(
        f"CREATE TRIGGER stay_with_client BEFORE UPDATE OF client_id ON {table} FOR EACH ROW"
        " WHEN (OLD.client_id <> NEW.client_id) EXECUTE FUNCTION catalog_stay_with_client()",
        f"DROP TRIGGER stay_with_client ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_workspace")]

    operations = [
        isolate("catalog_plan"),
        isolate("catalog_planlesson"),
        isolate("catalog_mediafile", library=True),
        isolate("catalog_subtitle", library=True),
        isolate("catalog_subtitlecue", library=True),
        isolate("catalog_lessontext", library=True),
        isolate("catalog_catalogchange"),
        *(stay(table) for table in TABLES),
        *(same_client(*rule) for rule in SAME_CLIENT),
        migrations.RunSQL(SELECTABLE, "DROP TRIGGER plan_lesson_selectable ON catalog_planlesson"),
        migrations.RunSQL(LIVE_PLANS, NO_LIVE_PLANS),
    ]
