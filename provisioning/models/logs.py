from typing import ClassVar

from django.db import models

from provisioning.models.configurations import ProvisioningConfiguration
from provisioning.models.subscriptions import Subscription


class AuditEntry(models.Model):
    """One deed of a person, a configuration or the system, written in the deed's own transaction; never changed."""

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="audit_entries")
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=20)
    actor_name = models.TextField()
    actor_role = models.CharField(max_length=40, blank=True)
    address = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=80)
    target = models.TextField(blank=True)
    changes = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["subscription", "-id"], name="audit_page")]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.target}"


class ProvisioningLogEntry(models.Model):
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
