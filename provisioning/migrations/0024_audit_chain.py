"""The audit log becomes a chain; entries that are there already are chained in the order in which they were written."""

import django.db.models.deletion
from django.db import migrations, models

from provisioning.services import audit_chain

BATCH = 1_000


WRITE = "UPDATE provisioning_auditentry SET number = %s, key_version = %s, digest = %s WHERE id = %s"


def write(schema_editor, batch):
    with schema_editor.connection.cursor() as cursor:
        cursor.executemany(WRITE, [(one.number, one.key_version, one.digest, one.pk) for one in batch])


def chain(apps, schema_editor):
    subscriptions = apps.get_model("provisioning", "Subscription")
    entries = apps.get_model("provisioning", "AuditEntry")
    heads = apps.get_model("provisioning", "AuditHead")
    for pk in subscriptions.objects.order_by("pk").values_list("pk", flat=True):
        head = heads(subscription_id=pk)
        rows, last = entries.objects.filter(subscription=pk).order_by("pk"), 0
        while batch := list(rows.filter(pk__gt=last)[:BATCH]):
            for entry in batch:
                head.number += 1
                entry.number, entry.key_version = head.number, audit_chain.current_version()
                head.digest = entry.digest = audit_chain.digest(entry, head.digest)
            write(schema_editor, batch)
            last = batch[-1].pk
        head.save(force_insert=True)


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0023_single_sign_on")]

    operations = [
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                (
                    "subscription",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="audit_head",
                        serialize=False,
                        to="provisioning.subscription",
                    ),
                ),
                ("number", models.PositiveBigIntegerField(default=0)),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("verified_at", models.DateTimeField(null=True)),
                ("verified_number", models.PositiveBigIntegerField(default=0)),
                ("differences", models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.AddField("auditentry", "number", models.PositiveBigIntegerField(null=True)),
        migrations.AddField("auditentry", "key_version", models.CharField(default="", max_length=16), preserve_default=False),
        migrations.AddField("auditentry", "digest", models.CharField(default="", max_length=64), preserve_default=False),
        migrations.RunPython(chain, migrations.RunPython.noop, elidable=False),
        migrations.AlterField("auditentry", "number", models.PositiveBigIntegerField()),
        migrations.RemoveIndex("auditentry", "audit_page"),
        migrations.AlterField(
            "auditentry",
            "subscription",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="audit_entries",
                to="provisioning.subscription",
            ),
        ),
        migrations.AddConstraint(
            "auditentry", models.UniqueConstraint(fields=("subscription", "number"), name="audit_number")
        ),
        migrations.AddIndex("auditentry", models.Index(fields=["subscription", "-at", "-number"], name="audit_time")),
        migrations.AddIndex(
            "auditentry", models.Index(fields=["subscription", "actor_name", "-at", "-number"], name="audit_actor")
        ),
        migrations.AddIndex(
            "auditentry", models.Index(fields=["subscription", "action", "-at", "-number"], name="audit_action")
        ),
    ]
