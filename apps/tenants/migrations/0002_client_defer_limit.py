from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="client",
            name="defer_limit",
            field=models.PositiveIntegerField(default=2),
        ),
    ]
