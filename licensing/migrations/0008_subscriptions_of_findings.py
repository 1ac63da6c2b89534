"""Rows that had their subscription only by their parent get a column of their own, for row-level security."""

import django.db.models.deletion
from django.db import migrations, models

PARENTS = {
    "driftfinding": ("report_id", "licensing_driftreport"),
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
    table = f"licensing_{model}"
    return migrations.RunSQL(
        f"UPDATE {table} SET subscription_id = (SELECT subscription_id FROM {parent} AS parent WHERE parent.id = {key})",
        migrations.RunSQL.noop,
    )


class Migration(migrations.Migration):
    dependencies = [("licensing", "0007_open_members_in_order"), ("provisioning", "0026_subscriptions_of_rows")]

    operations = [
        operation
        for model, (key, parent) in PARENTS.items()
        for operation in (
            migrations.AddField(model, "subscription", _key(null=True)),
            _fill(model, key, parent),
            migrations.AlterField(model, "subscription", _key(null=False)),
        )
    ]
