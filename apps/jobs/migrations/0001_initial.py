import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import apps.jobs.models
from apps.tenants.isolation import isolate


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[
                (
                    "id",
                    models.CharField(
                        db_collation="C",
                        default=apps.jobs.models.new_job_id,
                        editable=False,
                        max_length=30,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("kind", models.CharField(db_collation="C", max_length=100)),
                ("subject_id", models.CharField(db_collation="C", max_length=64)),
                ("payload", models.JSONField(blank=True, default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("attempts", models.PositiveIntegerField(default=0)),
                (
                    "next_attempt_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), null=True),
                ),
                ("claimed_until", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("done", models.PositiveIntegerField(default=0, help_text="steps done, of `total`")),
                ("total", models.PositiveIntegerField(null=True)),
                (
                    "error",
                    models.TextField(blank=True, help_text="what went wrong last, in words for an administrator"),
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
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_attempt_at__isnull", False)),
                        fields=["next_attempt_at", "id"],
                        name="job_due",
                    ),
                    models.Index(
                        condition=models.Q(("claimed_until__isnull", False)),
                        fields=["claimed_until"],
                        name="job_claimed",
                    ),
                    models.Index(
                        condition=models.Q(("finished_at__isnull", False)), fields=["finished_at"], name="job_finished"
                    ),
                    models.Index(fields=["client", "id"], name="job_by_client"),
                    models.Index(fields=["client", "kind", "subject_id", "id"], name="job_by_subject"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("claimed_until__isnull", True),
                                ("finished_at__isnull", True),
                                ("next_attempt_at__isnull", False),
                                ("state", "waiting"),
                            ),
                            models.Q(
                                ("claimed_until__isnull", False),
                                ("finished_at__isnull", True),
                                ("next_attempt_at__isnull", True),
                                ("state", "running"),
                            ),
                            models.Q(
                                ("claimed_until__isnull", True),
                                ("finished_at__isnull", False),
                                ("next_attempt_at__isnull", True),
                                ("state__in", ["done", "failed"]),
                            ),
                            _connector="OR",
                        ),
                        name="job_state_has_its_times",
                    )
                ],
            },
        ),
        isolate("jobs_job"),
    ]
