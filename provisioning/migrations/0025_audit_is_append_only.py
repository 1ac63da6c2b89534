"""PostgreSQL refuses to change, delete or truncate the audit log, and to take the head of a chain back."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION provisioning_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit log is append-only: % of % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON provisioning_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION provisioning_audit_is_append_only();
CREATE TRIGGER audit_heads_stay BEFORE DELETE OR TRUNCATE ON provisioning_audithead
    FOR EACH STATEMENT EXECUTE FUNCTION provisioning_audit_is_append_only();
CREATE TRIGGER audit_heads_advance BEFORE UPDATE ON provisioning_audithead FOR EACH ROW
    WHEN (NEW.subscription_id <> OLD.subscription_id OR NEW.number < OLD.number)
    EXECUTE FUNCTION provisioning_audit_is_append_only();
"""
ALLOW = """
DROP TRIGGER audit_heads_advance ON provisioning_audithead;
DROP TRIGGER audit_heads_stay ON provisioning_audithead;
DROP TRIGGER audit_entries_stay ON provisioning_auditentry;
DROP FUNCTION provisioning_audit_is_append_only();
"""


def refuse(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(REFUSE, params=None)


def allow(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(ALLOW, params=None)


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0024_audit_chain")]

    operations = [migrations.RunPython(refuse, allow)]
