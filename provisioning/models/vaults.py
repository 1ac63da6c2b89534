import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from provisioning.models.groups import UserGroup
from provisioning.models.subscriptions import Subscription


class Vault(models.Model):
    """A document vault of the subscription, and what its vault server last reported of it.

    ``agent_url`` is the address of the vault agent of its vault server (docs/vault-agent.md); without one the vault
    lives in the in-process emulation. ``user_synchronization`` is the vault's own, set in M-Files Admin.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="vaults")
    name = models.CharField(max_length=200)
    guid = models.UUIDField(default=uuid.uuid4, unique=True)
    agent_url = models.URLField(blank=True)
    authentication = models.CharField(max_length=40, default="M-Files Manage")
    user_synchronization = models.BooleanField(default=False)
    is_online = models.BooleanField(default=True)
    reported_at = models.DateTimeField(null=True, blank=True)
    objects_count = models.PositiveBigIntegerField(null=True, blank=True)
    versions_count = models.PositiveBigIntegerField(null=True, blank=True)
    storage_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    database_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint("subscription", Lower("name"), name="vault_name_unique")]

    def __str__(self) -> str:
        return self.name


class VaultUserGroup(models.Model):
    """A group inside a vault, as the vault agent knows it; ``remote_id`` is null until it exists in the vault."""

    vault = models.ForeignKey(Vault, models.CASCADE, related_name="user_groups")
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=400)
    remote_id = models.BigIntegerField(null=True, blank=True)
    is_built_in = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["vault", "name_key"], name="vault_user_group_name_unique"),
            models.UniqueConstraint(fields=["vault", "remote_id"], name="vault_user_group_remote_id_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class GroupLink(models.Model):
    """Source user group → target vault → target vault user group; a target has one source."""

    class Mode(models.TextChoices):
        REPLACE = "replace", "Replace the members of the target group"
        MERGE = "merge", "Keep other members of the target group"

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="links")
    group = models.ForeignKey(UserGroup, models.CASCADE, related_name="links")
    target = models.OneToOneField(VaultUserGroup, models.CASCADE, related_name="link")
    mode = models.CharField(max_length=20, choices=Mode.choices, default=Mode.REPLACE)
    created_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True, blank=True)
    generation = models.PositiveBigIntegerField(default=1)
    observed_generation = models.PositiveBigIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["subscription", "id"], condition=~Q(generation=F("observed_generation")), name="link_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.group} → {self.target}"
