from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0014_notification_mails")]

    operations = [
        migrations.AddIndex(
            "LoginAccount",
            models.Index(condition=models.Q(("role__gt", 0)), fields=["subscription", "role"], name="account_role"),
        ),
    ]
