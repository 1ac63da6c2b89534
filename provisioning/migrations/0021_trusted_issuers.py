import django.db.models.deletion
from django.db import migrations, models


def _text(length):
    return models.CharField(blank=True, db_default="", default="", max_length=length)


class Migration(migrations.Migration):
    """The version that is being replaced writes rows without these columns, so each has a default in the database."""

    dependencies = [("provisioning", "0020_secrets")]

    operations = [
        migrations.AddField("ProvisioningConfiguration", "directory", _text(36)),
        migrations.AddField("ProvisioningConfiguration", "issuer", _text(255)),
        migrations.AddField("ProvisioningConfiguration", "subject", _text(255)),
        migrations.AddField("ProvisioningConfiguration", "audience", _text(255)),
        migrations.AddField(
            "ProvisioningConfiguration",
            "token_lifetime",
            models.PositiveIntegerField(db_default=3600, default=3600),
        ),
        migrations.AlterField(
            "ProvisioningConfiguration",
            "refusal",
            models.CharField(
                blank=True,
                choices=[
                    ("wrong_secret", "Wrong client secret"),
                    ("expired_secret", "Expired client secret"),
                    ("revoked_secret", "Revoked client secret"),
                    ("other_tenant_url", "Another Tenant URL"),
                    ("untrusted_token", "Untrusted token"),
                    ("issuer_silent", "Issuer does not answer"),
                    ("expired_token", "Expired bearer token"),
                    ("revoked_token", "Revoked bearer token"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            "ProvisioningConfiguration",
            models.CheckConstraint(
                condition=models.Q(("token_lifetime__range", (3600, 21600))), name="token_lifetime_is_allowed"
            ),
        ),
        migrations.CreateModel(
            name="BearerToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64)),
                ("last_four", models.CharField(max_length=4)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("form_id", models.UUIDField(blank=True, null=True, unique=True)),
                (
                    "configuration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bearer_tokens",
                        to="provisioning.provisioningconfiguration",
                    ),
                ),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("digest",), name="bearer_token_unique")]},
        ),
    ]
