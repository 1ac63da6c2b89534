from datetime import datetime
from typing import ClassVar

from django.db import models

from provisioning.models.configurations import ProvisioningConfiguration
from provisioning.models.tenants import SubscriptionOf, TenantModel


class BearerToken(TenantModel):
    """A long-lived bearer token (RFC 6750) of a configuration of the kind *Other SCIM provider*; never stored itself.

    ``digest`` is keyed by the pepper, like a client secret's. ``form_id`` is of the form that made it, so that sending
    that again makes no second one. ``last_used_at`` is exact to 15 seconds. ``warned_days`` is the last threshold
    before its expiry that people were warned at.
    """

    class State(models.TextChoices):
        """What a token is at a moment: computed, never stored."""

        LIVE = "live", "Valid"
        EXPIRED = "expired", "Expired"
        REVOKED = "revoked", "Revoked"

    subscription = SubscriptionOf("configuration")
    configuration = models.ForeignKey(ProvisioningConfiguration, models.CASCADE, related_name="bearer_tokens")
    digest = models.CharField(max_length=64)
    last_four = models.CharField(max_length=4)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    form_id = models.UUIDField(null=True, blank=True, unique=True)
    warned_days = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["digest"], name="bearer_token_unique")]

    def __str__(self) -> str:
        return f"…{self.last_four}"

    def state(self, at: datetime) -> State:
        """Return what the token is at that moment."""
        if self.revoked_at is not None:
            return self.State.REVOKED
        return self.State.LIVE if self.expires_at > at else self.State.EXPIRED
