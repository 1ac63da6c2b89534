from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("licensing", "0003_vault_synchronization"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="vaultstatus",
            name="drift_different",
        ),
        migrations.RemoveField(
            model_name="vaultstatus",
            name="drift_missing",
        ),
        migrations.RemoveField(
            model_name="vaultstatus",
            name="drift_repaired",
        ),
        migrations.RemoveField(
            model_name="vaultstatus",
            name="drift_unexpected",
        ),
        migrations.AddField(
            model_name="driftreport",
            name="accounts_count",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="driftreport",
            name="position",
            field=models.JSONField(blank=True, default=dict),
        ),
    ]
