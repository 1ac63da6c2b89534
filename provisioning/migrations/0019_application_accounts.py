from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0016_vault_access")]

    operations = [
        migrations.AddIndex(
            "LoginAccount",
            models.Index(
                condition=models.Q(("kind", "application")),
                fields=["subscription", "full_name", "id"],
                name="account_application",
            ),
        ),
    ]
