from typing import ClassVar

from django.db import models

from licensing.models.endings import Ending
from provisioning.models import GroupLink, Subscription, Vault


class VaultStatus(models.Model):
    """How keeping one vault in step goes; its lease lets one worker at a time speak with the vault.

    The vault is looked at from ``due_at`` on, and compared in full from ``compare_due_at`` on. The ``drift_…`` counts
    are the report of the last full comparison.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="+", db_index=False)
    vault = models.OneToOneField(Vault, models.CASCADE, related_name="status")
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=Ending.choices, default=Ending.READY)
    reason = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    is_created = models.BooleanField(default=False)
    """Whether the vault server has had the vault; one that vanishes later is never made again."""
    compare_due_at = models.DateTimeField()
    compared_at = models.DateTimeField(null=True, blank=True)
    concurrent_sessions = models.PositiveIntegerField(default=0)
    """How many people used a Concurrent license in the vault when it was last asked."""
    drift_missing = models.PositiveIntegerField(default=0)
    drift_unexpected = models.PositiveIntegerField(default=0)
    drift_different = models.PositiveIntegerField(default=0)
    drift_repaired = models.PositiveIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["due_at"], name="vault_status_due")]

    def __str__(self) -> str:
        return f"{self.vault_id}: {self.state}"


class LinkStatus(models.Model):
    """How bringing one link's target group in line goes.

    The target is prepared (made, and compared with what the link wants) for ``prepared_generation`` of the link.
    ``source_ended_at`` is when the members of a link whose source was deleted were told to leave.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="+", db_index=False)
    link = models.OneToOneField(GroupLink, models.CASCADE, related_name="status")
    prepared_generation = models.PositiveBigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=Ending.choices, default=Ending.READY)
    reason = models.TextField(blank=True)
    source_ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.link_id}: {self.state}"
