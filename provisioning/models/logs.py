from typing import ClassVar

from django.db import models

from provisioning.models.configurations import ProvisioningConfiguration
from provisioning.models.subscriptions import Subscription
from provisioning.models.tenants import TenantModel


class AuditEntry(TenantModel):
    """One deed of a person, a configuration or the system, written in the deed's own transaction; never changed.

    ``number`` counts the entries of a subscription without a gap. ``digest`` covers the entry and the digest before it,
    under the key that ``key_version`` names (``provisioning.services.audit_chain``). The database refuses to change
    or delete a row (docs/audit.md).
    """

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="audit_entries", db_index=False)
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=20)
    actor_name = models.TextField()
    actor_role = models.CharField(max_length=40, blank=True)
    address = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=80)
    target = models.TextField(blank=True)
    changes = models.JSONField(default=dict)
    key_version = models.CharField(max_length=16)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["subscription", "number"], name="audit_number")]
        indexes: ClassVar = [
            models.Index(fields=["subscription", "-at", "-number"], name="audit_time"),
            models.Index(fields=["subscription", "actor_name", "-at", "-number"], name="audit_actor"),
            models.Index(fields=["subscription", "action", "-at", "-number"], name="audit_action"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.target}"


class AuditHead(TenantModel):
    """Where a subscription's audit log ends: who appends holds this row, and the daily check notes what it found."""

    subscription = models.OneToOneField(Subscription, models.PROTECT, related_name="audit_head", primary_key=True)
    number = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    verified_at = models.DateTimeField(null=True)
    verified_number = models.PositiveBigIntegerField(default=0)
    differences = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.subscription_id}: entry {self.number}"


class ProvisioningLogEntry(TenantModel):
    """One SCIM write, failure or connection test (3-scim §3.4). ``changes`` holds ``{attribute: [old, new]}``.

    Every index costs every write; the two of failures cost only them. What no index finds is searched in stretches
    (``provisioning.queries.pages``).
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="log_entries", db_index=False)
    configuration = models.ForeignKey(
        ProvisioningConfiguration, models.CASCADE, related_name="log_entries", db_index=False
    )
    at = models.DateTimeField()
    operation = models.CharField(max_length=20)
    resource_type = models.CharField(max_length=20, blank=True)
    resource_id = models.CharField(max_length=64, blank=True)
    resource_name = models.TextField(blank=True)
    status = models.PositiveSmallIntegerField()
    is_success = models.BooleanField()
    detail = models.TextField(blank=True)
    changes = models.JSONField(default=dict)
    duration_us = models.PositiveIntegerField(default=0)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["subscription", "-at", "-id"], name="log_page"),
            models.Index(fields=["configuration", "-at", "-id"], name="log_configuration_page"),
            models.Index(fields=["subscription", "resource_id", "-at", "-id"], name="log_resource"),
            models.Index(
                fields=["subscription", "-at", "-id"], condition=models.Q(is_success=False), name="log_failures"
            ),
            models.Index(
                fields=["configuration", "-at", "-id"],
                condition=models.Q(is_success=False),
                name="log_configuration_failures",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.resource_type} {self.resource_name}: {self.status}"
