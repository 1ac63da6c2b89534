from django.db import migrations

KEEP_DUE = """
INSERT INTO provisioning_dueaccount (subscription_id, account_id, generation)
SELECT subscription_id, id, 1 FROM provisioning_loginaccount
WHERE generation <> observed_generation ORDER BY id"""
FORGET = "DELETE FROM provisioning_dueaccount"


class Migration(migrations.Migration):
    """What is due stands in a table of its own. Backwards, every account is due: columns come back so."""

    dependencies = [("provisioning", "0010_licenses_and_protection")]
    operations = [
        migrations.RunSQL(KEEP_DUE, FORGET),
        migrations.RemoveIndex(model_name="loginaccount", name="account_due"),
        migrations.RemoveField(model_name="loginaccount", name="generation"),
        migrations.RemoveField(model_name="loginaccount", name="observed_generation"),
    ]
