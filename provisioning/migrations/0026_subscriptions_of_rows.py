"""Rows that had their subscription only by their parent get a column of their own, for row-level security."""

import django.db.models.deletion
from django.db import migrations, models

PARENTS = {
    "accountstop": ("configuration_id", "provisioning_provisioningconfiguration"),
    "bearertoken": ("configuration_id", "provisioning_provisioningconfiguration"),
    "callcount": ("configuration_id", "provisioning_provisioningconfiguration"),
    "clientsecret": ("configuration_id", "provisioning_provisioningconfiguration"),
    "resourcetotal": ("configuration_id", "provisioning_provisioningconfiguration"),
    "groupnesting": ("group_id", "provisioning_usergroup"),
    "vaultusergroup": ("vault_id", "provisioning_vault"),
    "notificationchoice": ("account_id", "provisioning_loginaccount"),
    "notificationmail": ("notification_id", "provisioning_notification"),
}


def _key(null):
    return models.ForeignKey(
        db_index=False,
        null=null,
        on_delete=django.db.models.deletion.CASCADE,
        related_name="+",
        to="provisioning.subscription",
    )


def _fill(model, key, parent):
    """PostgreSQL checks the new key at once, so that the column can be changed in the same transaction."""
    table = f"provisioning_{model}"
    return migrations.RunSQL(
        f"UPDATE {table} SET subscription_id = (SELECT subscription_id FROM {parent} AS parent WHERE parent.id = {key})",
        migrations.RunSQL.noop,
    )


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0025_audit_is_append_only")]

    operations = [
        operation
        for model, (key, parent) in PARENTS.items()
        for operation in (
            migrations.AddField(model, "subscription", _key(null=True)),
            _fill(model, key, parent),
            migrations.AlterField(model, "subscription", _key(null=False)),
        )
    ]
