"""What staff decide about a routine of somebody's queue is kept, and stays as it was said."""

import django.db.models.deletion
from django.db import migrations, models

import apps.ai_training.models.plans
from apps.tenants.isolation import isolate

RULES = """
ALTER TABLE ai_training_instanceoverride ADD CONSTRAINT instanceoverride_instance_of_same_client
FOREIGN KEY (client_id, instance_id) REFERENCES ai_training_routineinstance (client_id, id) DEFERRABLE INITIALLY IMMEDIATE;

CREATE FUNCTION ai_training_keep_override() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what staff decided is not changed' USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END $$;

CREATE TRIGGER instance_override_kept BEFORE UPDATE ON ai_training_instanceoverride
FOR EACH ROW EXECUTE FUNCTION ai_training_keep_override();
"""
WITHOUT_RULES = """
DROP TRIGGER instance_override_kept ON ai_training_instanceoverride;
DROP FUNCTION ai_training_keep_override;
ALTER TABLE ai_training_instanceoverride DROP CONSTRAINT instanceoverride_instance_of_same_client;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ai_training", "0002_rules"),
        ("tenants", "0002_client_defer_limit"),
    ]

    operations = [
        migrations.CreateModel(
            name="InstanceOverride",
            fields=[
                (
                    "id",
                    models.CharField(
                        db_collation="C",
                        default=apps.ai_training.models.plans.new_override_id,
                        editable=False,
                        max_length=64,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "act",
                    models.CharField(
                        choices=[("front", "Moved to the front"), ("skip", "Skipped"), ("cancel", "Cancelled")],
                        max_length=16,
                    ),
                ),
                ("reason", models.TextField()),
                ("author", models.CharField(max_length=150)),
                ("created_at", models.DateTimeField()),
                (
                    "client",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.client",
                    ),
                ),
                (
                    "instance",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="overrides",
                        to="ai_training.routineinstance",
                    ),
                ),
            ],
            options={
                "ordering": ["created_at", "id"],
                "indexes": [
                    models.Index(fields=["client", "instance", "created_at"], name="instance_override_by_instance")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("act__in", ["front", "skip", "cancel"])), name="instance_override_act_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="instance_override_says_why"
                    ),
                ],
            },
        ),
        isolate("ai_training_instanceoverride"),
        migrations.RunSQL(RULES, WITHOUT_RULES),
    ]
