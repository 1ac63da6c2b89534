from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from licensing.models.endings import Ending
from provisioning.models import LoginAccount, Subscription, Vault, VaultUserGroup
from provisioning.models.tenants import TenantModel


class VaultUser(TenantModel):
    """A login account's presence in one vault: how it shall be, and how it was last seen.

    ``account_uid`` names it to the vault server for good; ``account`` is null when the vault user is *detached*.
    ``seen_enabled`` is null while the vault does not have the user. ``wanted_profile`` and ``seen_profile`` are
    fingerprints of its login account (``licensing.plans.vaults.profile``). It is due from ``due_at`` on.
    ``wanted_manual`` and ``is_blocked`` are what an admin decided (``provisioning.models.VaultAccess``), as
    ``wanted_full_control`` is; null leaves that right as the vault has it. ``seen_roles`` are M-Files' role bits.
    ``overrides_person`` until a vault user that an admin enables in the portal is enabled, though a person disabled it.
    """

    class DisabledBy(models.TextChoices):
        NOBODY = "", "Nobody"
        SYSTEM = "system", "The system"
        PERSON = "person", "A person in the vault"

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="+", db_index=False)
    vault = models.ForeignKey(Vault, models.CASCADE, related_name="vault_users", db_index=False)
    account = models.ForeignKey(LoginAccount, models.SET_NULL, null=True, blank=True, related_name="vault_users")
    account_uid = models.UUIDField()
    remote_id = models.BigIntegerField(null=True, blank=True)
    wanted_enabled = models.BooleanField(default=False)
    wanted_manual = models.BooleanField(default=False)
    is_blocked = models.BooleanField(default=False)
    wanted_full_control = models.BooleanField(null=True, blank=True)
    wanted_profile = models.CharField(max_length=32, blank=True)
    seen_enabled = models.BooleanField(null=True, blank=True)
    seen_roles = models.PositiveIntegerField(null=True, blank=True)
    seen_profile = models.CharField(max_length=32, blank=True)
    disabled_by = models.CharField(max_length=10, choices=DisabledBy.choices, blank=True, default=DisabledBy.NOBODY)
    overrides_person = models.BooleanField(default=False)
    generation = models.PositiveBigIntegerField(default=1)
    observed_generation = models.PositiveBigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=Ending.choices, default=Ending.READY)
    reason = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["vault", "account_uid"], name="vault_user_unique"),
            models.UniqueConstraint(
                fields=["vault", "account"], condition=Q(account__isnull=False), name="vault_user_account_unique"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["vault", "due_at", "id"], condition=Q(due_at__isnull=False), name="vault_user_due"),
            models.Index(fields=["vault", "state"], condition=~Q(state="ready"), name="vault_user_unwell"),
            # Counted by this index alone, so it has what row-level security looks at.
            models.Index(
                fields=["vault", "id"],
                include=["subscription"],
                condition=Q(seen_enabled=True),
                name="vault_user_enabled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_uid} in {self.vault_id}"


class VaultUserMembership(TenantModel):
    """A vault user's membership in a link's target group: whether a link wants it, and whether it is there.

    ``added_by_us`` tells the members that a link brought from those a person had put there before. Once a link neither
    wants nor must remove a member, its row goes.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="+", db_index=False)
    vault_user = models.ForeignKey(VaultUser, models.CASCADE, related_name="memberships", db_index=False)
    target = models.ForeignKey(VaultUserGroup, models.CASCADE, related_name="vault_memberships", db_index=False)
    wanted = models.BooleanField(default=False)
    seen = models.BooleanField(default=False)
    added_by_us = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["vault_user", "target"], name="vault_member_unique")]
        indexes: ClassVar = [
            models.Index(fields=["target", "wanted", "seen"], name="vault_member_target"),
            models.Index(fields=["target", "id"], condition=~Q(wanted=F("seen")), name="vault_member_open"),
        ]

    def __str__(self) -> str:
        return f"{self.vault_user_id} in {self.target_id}"


class VaultGroupChange(TenantModel):
    """A person's wish that ``key`` be a member of a vault user group or not; the row goes once the vault has done it.

    ``key`` names a vault user or a group as the vault agent does (docs/vault-agent.md).
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="+", db_index=False)
    vault = models.ForeignKey(Vault, models.CASCADE, related_name="+", db_index=False)
    group = models.ForeignKey(VaultUserGroup, models.CASCADE, related_name="changes", db_index=False)
    key = models.CharField(max_length=64)
    is_member = models.BooleanField()
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=Ending.choices, default=Ending.READY)
    reason = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["group", "key"], name="vault_group_change_unique")]
        indexes: ClassVar = [
            models.Index(fields=["vault", "due_at"], condition=Q(due_at__isnull=False), name="vault_group_change_due")
        ]

    def __str__(self) -> str:
        return f"{self.key} in {self.group_id}: {self.is_member}"
