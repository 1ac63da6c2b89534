"""SQLite, too, refuses to change or delete the audit log, and to take the head of a chain back."""

from django.db import migrations

TRIGGERS = {
    "audit_entries_stay": "BEFORE DELETE ON provisioning_auditentry",
    "audit_entries_stay_the_same": "BEFORE UPDATE ON provisioning_auditentry",
    "audit_heads_stay": "BEFORE DELETE ON provisioning_audithead",
    "audit_heads_advance": "BEFORE UPDATE ON provisioning_audithead FOR EACH ROW "
    "WHEN NEW.subscription_id <> OLD.subscription_id OR NEW.number < OLD.number",
}


def _on_sqlite(text):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "sqlite":
            for name, event in TRIGGERS.items():
                schema_editor.execute(text.format(name=name, event=event), params=None)

    return run


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0028_warn_of_bearer_tokens")]

    operations = [
        migrations.RunPython(
            _on_sqlite(
                "CREATE TRIGGER {name} {event} "
                "BEGIN SELECT RAISE(ABORT, 'The audit log is append-only: {name} refuses that.'); END"
            ),
            _on_sqlite("DROP TRIGGER {name}"),
        )
    ]
