from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("licensing", "0005_overriding_vault_users"),
    ]

    operations = [
        migrations.AddField(
            model_name="linkstatus",
            name="position",
            field=models.JSONField(blank=True, null=True),
        ),
    ]
