import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0017_trusted_mails")]

    operations = [
        migrations.AddField(
            model_name="grouplink",
            name="former_group",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="former_links",
                to="provisioning.usergroup",
            ),
        ),
        migrations.AddIndex(
            model_name="usergroup",
            index=models.Index(
                condition=Q(("deleted_at__isnull", False), ("external_id__isnull", False)),
                fields=["configuration", "external_id"],
                name="group_former",
            ),
        ),
    ]
