from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [
        ("licensing", "0006_position_in_targets"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="vaultusermembership",
            name="vault_member_open",
        ),
        migrations.AddIndex(
            model_name="vaultusermembership",
            index=models.Index(
                condition=~Q(wanted=F("seen")),
                fields=["target", "id"],
                name="vault_member_open",
            ),
        ),
    ]
