"""The tables of lessons that come in files."""

import django.db.models.deletion
from django.db import migrations, models

import apps.catalog.models.batches
from apps.tenants.isolation import isolate

OF_BATCH = (
    "ALTER TABLE catalog_batchrow ADD CONSTRAINT batch_row_of_same_client FOREIGN KEY (client_id, batch_id)"
    " REFERENCES catalog_lessonbatch (client_id, id) DEFERRABLE INITIALLY IMMEDIATE"
)


def stay(table):
    return migrations.RunSQL(
        f"CREATE TRIGGER stay_with_client BEFORE UPDATE OF client_id ON {table} FOR EACH ROW"
        " WHEN (OLD.client_id <> NEW.client_id) EXECUTE FUNCTION catalog_stay_with_client()",
        f"DROP TRIGGER stay_with_client ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0004_workspace_rules"),
        ("jobs", "0001_initial"),
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="LessonBatch",
            fields=[
                (
                    "id",
                    models.CharField(
                        db_collation="C",
                        default=apps.catalog.models.batches.new_batch_id,
                        editable=False,
                        max_length=30,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("file_name", models.CharField(max_length=255)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("preview", "Preview"),
                            ("applying", "Being imported"),
                            ("applied", "Imported"),
                            ("undoing", "Being undone"),
                            ("undone", "Undone"),
                        ],
                        default="preview",
                        max_length=16,
                    ),
                ),
                ("row_count", models.PositiveIntegerField()),
                (
                    "is_forced",
                    models.BooleanField(default=False, help_text="plans that stood in the way were turned off"),
                ),
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
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="jobs.job",
                    ),
                ),
            ],
            options={
                "verbose_name": "import",
                "verbose_name_plural": "imports",
            },
        ),
        migrations.CreateModel(
            name="BatchRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "number",
                    models.PositiveIntegerField(help_text="where it stands in the file; a table's first line is 1"),
                ),
                ("lesson_id", models.CharField(blank=True, db_collation="C", max_length=64)),
                ("name", models.TextField(blank=True, help_text="the lesson's English title")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("changed", "Changed"),
                            ("unchanged", "Unchanged"),
                            ("wrong", "Wrong"),
                        ],
                        max_length=16,
                    ),
                ),
                ("fields", models.JSONField(default=dict)),
                ("before", models.JSONField(default=dict)),
                ("problems", models.JSONField(default=list, help_text="[{column, message}]: why it is wrong")),
                (
                    "result",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not imported"),
                            ("applied", "Imported"),
                            ("left", "Left out"),
                            ("undone", "Undone"),
                            ("kept", "Could not be undone"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                (
                    "reasons",
                    models.JSONField(default=list, help_text="[{column, message}]: why it was left out, or kept"),
                ),
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
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="catalog.lessonbatch",
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.AddConstraint(
            model_name="lessonbatch",
            constraint=models.UniqueConstraint(fields=("client", "id"), name="lesson_batch_of_client"),
        ),
        migrations.AddConstraint(
            model_name="lessonbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["preview", "applying", "applied", "undoing", "undone"])),
                name="lesson_batch_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchrow",
            constraint=models.UniqueConstraint(fields=("client", "batch", "number"), name="batch_row_unique"),
        ),
        migrations.AddConstraint(
            model_name="batchrow",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["new", "changed", "unchanged", "wrong"])),
                name="batch_row_outcome_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchrow",
            constraint=models.CheckConstraint(
                condition=models.Q(("result__in", ["", "applied", "left", "undone", "kept"])),
                name="batch_row_result_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchrow",
            constraint=models.CheckConstraint(
                condition=models.Q(("lesson_id", ""), ("result", "applied"), _negated=True),
                name="batch_row_applied_names_lesson",
            ),
        ),
        isolate("catalog_lessonbatch"),
        isolate("catalog_batchrow"),
        stay("catalog_lessonbatch"),
        stay("catalog_batchrow"),
        migrations.RunSQL(OF_BATCH, "ALTER TABLE catalog_batchrow DROP CONSTRAINT batch_row_of_same_client"),
    ]
