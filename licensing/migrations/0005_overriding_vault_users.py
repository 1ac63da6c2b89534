from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('licensing', '0004_drift_reports'),
    ]

    operations = [
        migrations.AddField(
            model_name='vaultuser',
            name='overrides_person',
            field=models.BooleanField(default=False),
        ),
    ]
