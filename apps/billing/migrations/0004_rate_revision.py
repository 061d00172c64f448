from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0003_statements_and_grants"),
    ]

    operations = [
        migrations.AddField(
            model_name="commercialpolicy",
            name="rate_revision",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="when the rate was agreed: each has a bucket, full at first",
            ),
        ),
    ]
