from django.db import migrations, models


class Migration(migrations.Migration):
    """The version that is being replaced writes rows without these columns, so each has a default in the database."""

    dependencies = [("provisioning", "0018_links_follow_sources")]

    operations = [
        migrations.AddField(
            "ClientSecret",
            "pepper_version",
            models.CharField(blank=True, db_default="", default="", max_length=16),
        ),
        migrations.AddField("ClientSecret", "retires_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("ClientSecret", "form_id", models.UUIDField(blank=True, null=True, unique=True)),
        migrations.AddField("ClientSecret", "warned_days", models.PositiveSmallIntegerField(blank=True, null=True)),
        migrations.AddField(
            "ProvisioningConfiguration",
            "access_epoch",
            models.PositiveBigIntegerField(db_default=0, default=0),
        ),
    ]
