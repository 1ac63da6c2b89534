from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('provisioning', '0011_due_accounts'),
    ]

    operations = [
        migrations.RemoveIndex(model_name='accountstop', name='account_stop_hour'),
        migrations.AddField(
            model_name='accountstop',
            name='number',
            field=models.PositiveBigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name='accountstop',
            index=models.Index(fields=['configuration', 'at', 'number'], name='account_stop_hour'),
        ),
        migrations.AlterField(
            model_name='heldchange',
            name='decision',
            field=models.CharField(blank=True, choices=[('', 'Waits for a decision'), ('allowed', 'Allowed'), ('rejected', 'Rejected'), ('withdrawn', 'Taken back by the identity provider'), ('lapsed', 'Rejected, enabled again since')], default='', max_length=10),
        ),
        migrations.AddIndex(
            model_name='heldchange',
            index=models.Index(fields=['configuration', 'decision', 'id'], name='held_change_configuration'),
        ),
        migrations.AddIndex(
            model_name='heldchange',
            index=models.Index(condition=models.Q(('decided_at__isnull', False)), fields=['subscription', '-decided_at', '-id'], name='held_change_decided'),
        ),
    ]
