from django.db import migrations

COUNT_USERS = """
INSERT INTO provisioning_resourcetotal (configuration_id, kind, shard, number)
SELECT configuration_id, 'User', 0, count(*) FROM provisioning_loginaccount
WHERE configuration_id IS NOT NULL AND scim_id IS NOT NULL GROUP BY configuration_id"""
COUNT_GROUPS = """
INSERT INTO provisioning_resourcetotal (configuration_id, kind, shard, number)
SELECT configuration_id, 'Group', 0, count(*) FROM provisioning_usergroup
WHERE deleted_at IS NULL GROUP BY configuration_id"""
FORGET = "DELETE FROM provisioning_resourcetotal"


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0005_log_indexes")]
    operations = [migrations.RunSQL([COUNT_USERS, COUNT_GROUPS], FORGET)]
