from typing import ClassVar

from django.db import models
from django.db.models import Q

from provisioning.models.accounts import LoginAccount
from provisioning.models.configurations import ProvisioningConfiguration
from provisioning.models.subscriptions import Subscription
from provisioning.models.tenants import SubscriptionOf, TenantModel


class HeldChange(TenantModel):
    """A disabling or removal beyond the hourly limit: SCIM said yes, and a person decides (1-product §1.3).

    The account stays enabled until somebody allows the change. ``withdrawn``: the identity provider itself took it
    back before anybody had decided. ``lapsed``: it did so after a rejection, which is not repeated from then on.
    """

    class Kind(models.TextChoices):
        DISABLE = "disable", "Disable"
        REMOVE = "remove", "Remove"

    class Decision(models.TextChoices):
        OPEN = "", "Waits for a decision"
        ALLOWED = "allowed", "Allowed"
        REJECTED = "rejected", "Rejected"
        WITHDRAWN = "withdrawn", "Taken back by the identity provider"
        LAPSED = "lapsed", "Rejected, enabled again since"

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="held_changes", db_index=False)
    configuration = models.ForeignKey(
        ProvisioningConfiguration, models.CASCADE, related_name="held_changes", db_index=False
    )
    account = models.ForeignKey(LoginAccount, models.CASCADE, related_name="held_changes")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    asked_at = models.DateTimeField()
    decision = models.CharField(max_length=10, choices=Decision.choices, blank=True, default=Decision.OPEN)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account"], condition=Q(decision=""), name="held_change_open_unique")
        ]
        indexes: ClassVar = [
            models.Index(fields=["subscription", "decision", "id"], name="held_change_page"),
            models.Index(fields=["configuration", "decision", "id"], name="held_change_configuration"),
            models.Index(
                fields=["subscription", "-decided_at", "-id"],
                condition=Q(decided_at__isnull=False),
                name="held_change_decided",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.account_id}"


class AccountStop(TenantModel):
    """A configuration disabled or removed an account at that time: what the hourly limit counts; pruned when old.

    ``number`` counts the configuration's stops in the order of ``at``, one at a time under the lock of its row.
    """

    subscription = SubscriptionOf("configuration")
    configuration = models.ForeignKey(ProvisioningConfiguration, models.CASCADE, related_name="stops", db_index=False)
    at = models.DateTimeField()
    number = models.PositiveBigIntegerField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["configuration", "at", "number"], name="account_stop_hour")]

    def __str__(self) -> str:
        return f"{self.configuration_id} at {self.at}"
