import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """A session by single sign-on is one account's, and a role is given to a name.

    Such sessions end here once: nobody knows any more which account each was for.
    """

    dependencies = [("provisioning", "0029_append_only_on_sqlite_too")]

    operations = [
        migrations.RunSQL(
            "DELETE FROM provisioning_portalsession WHERE subscription_id IS NOT NULL", migrations.RunSQL.noop
        ),
        migrations.RemoveField("PortalSession", "subscription"),
        migrations.AddField(
            "PortalSession",
            "account",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="provisioning.loginaccount",
            ),
        ),
        migrations.AddField("LoginAccount", "role_username_key", models.TextField(blank=True, null=True)),
        migrations.RunSQL(
            "UPDATE provisioning_loginaccount SET role_username_key = username_key WHERE role > 0",
            migrations.RunSQL.noop,
        ),
    ]
