import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0019_application_accounts")]

    operations = [
        migrations.AddField("Notification", "tell_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("NotificationMail", "is_over", models.BooleanField(default=False)),
        migrations.AddField(
            "NotificationMail",
            "trusted_person",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="provisioning.trustedperson",
            ),
        ),
        migrations.AlterField(
            "NotificationMail",
            "account",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="provisioning.loginaccount",
            ),
        ),
        migrations.AddConstraint(
            "NotificationMail",
            models.UniqueConstraint(fields=("notification", "trusted_person"), name="notification_mail_trusted_unique"),
        ),
        migrations.AddConstraint(
            "NotificationMail",
            models.CheckConstraint(
                condition=models.Q(("account__isnull", True), ("trusted_person__isnull", True), _connector="XOR"),
                name="notification_mail_to_one_person",
            ),
        ),
    ]
