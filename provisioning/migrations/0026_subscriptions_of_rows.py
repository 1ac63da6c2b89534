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


ENTER = """
CREATE FUNCTION mfmanage_enter(wanted text) RETURNS SETOF provisioning_provisioningconfiguration LANGUAGE plpgsql AS $$
DECLARE
    caller provisioning_provisioningconfiguration;
BEGIN
    PERFORM set_config('mfmanage.subscription', '*', false);
    SELECT * INTO caller FROM provisioning_provisioningconfiguration WHERE public_id = wanted;
    PERFORM set_config('mfmanage.subscription', COALESCE(caller.subscription_id::text, ''), false);
    IF caller.id IS NOT NULL THEN
        RETURN NEXT caller;
    END IF;
END $$"""


def _on_postgresql(text):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(text)

    return run


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
    ] + [
        # Finds whose Tenant URL was called and has the session see that subscription's rows, in one statement.
        migrations.RunPython(_on_postgresql(ENTER), _on_postgresql("DROP FUNCTION mfmanage_enter")),
    ]
