from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("delivery", "0004_offline")]

    operations = [
        migrations.AddField(
            model_name="sessionsnapshot",
            name="active_stamp",
            field=models.JSONField(
                blank=True,
                editable=False,
                help_text="lamport, device, mutation: when it was last told to be active",
                null=True,
            ),
        ),
    ]
