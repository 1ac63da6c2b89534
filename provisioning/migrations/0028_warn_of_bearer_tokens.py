from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the threshold at which people were told of a bearer token; the previous version does not ask for it."""

    dependencies = [("provisioning", "0027_pages_behind_row_level_security")]

    operations = [
        migrations.AddField("BearerToken", "warned_days", models.PositiveSmallIntegerField(blank=True, null=True)),
    ]
