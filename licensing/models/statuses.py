from typing import ClassVar

from django.db import models
from django.db.models import Q

from licensing.models.endings import Ending
from provisioning.models import GroupLink, Subscription, Vault
from provisioning.models.tenants import SubscriptionOf, TenantModel


class VaultStatus(TenantModel):
    """How keeping one vault in step goes; its lease lets one worker at a time speak with the vault.

    The vault is looked at from ``due_at`` on, and compared in full from ``compare_due_at`` on.
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
    named_sessions = models.PositiveIntegerField(default=0)
    read_only_sessions = models.PositiveIntegerField(default=0)
    is_slow = models.BooleanField(default=False)
    """Whether its calls took so long lately that it must not hold up the others."""

    class Meta:
        indexes: ClassVar = [models.Index(fields=["due_at"], name="vault_status_due")]

    def __str__(self) -> str:
        return f"{self.vault_id}: {self.state}"


class LinkStatus(TenantModel):
    """How bringing one link's target group in line goes.

    The target is prepared (made, and compared with what the link wants) for ``prepared_generation`` of the link;
    ``position`` is where preparing goes on that was interrupted (``licensing.reconcilers.targets``).
    ``source_ended_at`` is when the members of a link whose source was deleted were told to leave.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="+", db_index=False)
    link = models.OneToOneField(GroupLink, models.CASCADE, related_name="status")
    prepared_generation = models.PositiveBigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=Ending.choices, default=Ending.READY)
    reason = models.TextField(blank=True)
    source_ended_at = models.DateTimeField(null=True, blank=True)
    position = models.JSONField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.link_id}: {self.state}"


class DriftReport(TenantModel):
    """What a full comparison of a vault found; ``finished_at`` is null while it runs, ``problem`` is why it broke off.

    ``asked_by`` is who wanted it now, empty for the one that comes every six hours. ``users_count``,
    ``accounts_count`` and ``members_count`` are how many of each were looked at so far, ``total`` about how many there
    are in all; ``position`` is where the comparison goes on (``licensing.reconcilers.journals``).
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="+", db_index=False)
    vault = models.ForeignKey(Vault, models.CASCADE, related_name="drift_reports", db_index=False)
    asked_by = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    users_count = models.PositiveIntegerField(default=0)
    accounts_count = models.PositiveIntegerField(default=0)
    members_count = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    unexpected = models.PositiveIntegerField(default=0)
    different = models.PositiveIntegerField(default=0)
    repaired = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)
    position = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["vault"], condition=Q(finished_at__isnull=True), name="drift_report_running_unique"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["vault", "-started_at"], name="drift_report_newest")]

    def __str__(self) -> str:
        return f"{self.vault_id} at {self.started_at}"


class DriftFinding(TenantModel):
    """One thing that a comparison found; a report keeps the first thousand and counts all."""

    class Kind(models.TextChoices):
        MISSING = "missing", "Missing"
        UNEXPECTED = "unexpected", "Unexpected"
        DIFFERENT = "different", "Different"

    subscription = SubscriptionOf("report")
    report = models.ForeignKey(DriftReport, models.CASCADE, related_name="findings")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    subject = models.CharField(max_length=400)
    detail = models.CharField(max_length=400)
    is_repaired = models.BooleanField()

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject}"
