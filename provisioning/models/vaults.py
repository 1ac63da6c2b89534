import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from provisioning.models.accounts import LoginAccount
from provisioning.models.groups import UserGroup
from provisioning.models.subscriptions import Subscription
from provisioning.models.tenants import SubscriptionOf, TenantModel


class Vault(TenantModel):
    """A document vault of the subscription, and what its vault server last reported of it.

    ``agent_url`` is the address of the vault agent of its vault server (docs/vault-agent.md); without one the vault
    lives in the in-process emulation. ``user_synchronization`` is the vault's own, set in M-Files Admin.
    ``server_name`` is what its server calls it; ``name`` follows that unless another vault of the subscription has it.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="vaults")
    name = models.CharField(max_length=200)
    guid = models.UUIDField(default=uuid.uuid4, unique=True)
    server_name = models.CharField(max_length=200, blank=True)
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


class VaultUserGroup(TenantModel):
    """A group inside a vault, as the vault agent knows it; ``remote_id`` is null until it exists in the vault.

    ``is_requested`` until a group that a person asked for is made; ``wanted_visible`` is null when nobody asked to show
    or hide the group, or that is done. ``reason`` is why what was asked for failed, and empties with the next wish.
    """

    subscription = SubscriptionOf("vault")
    vault = models.ForeignKey(Vault, models.CASCADE, related_name="user_groups")
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=400)
    remote_id = models.BigIntegerField(null=True, blank=True)
    is_built_in = models.BooleanField(default=False)
    is_visible = models.BooleanField(default=True)
    wanted_visible = models.BooleanField(null=True, blank=True)
    is_requested = models.BooleanField(default=False)
    reason = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["vault", "name_key"], name="vault_user_group_name_unique"),
            models.UniqueConstraint(fields=["vault", "remote_id"], name="vault_user_group_remote_id_unique"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["vault"],
                condition=Q(is_requested=True) | Q(wanted_visible__isnull=False),
                name="vault_user_group_open",
            )
        ]

    def __str__(self) -> str:
        return self.name


class GroupLink(TenantModel):
    """Source user group → target vault → target vault user group; a target has one source.

    From ``ending_at`` on nobody is wanted in the target any more; the link goes when the last member it brought left.
    ``former_group`` is the deleted group that ``group`` follows as the same object of the directory; its members stay
    until their 24 hours are over.
    """

    class Mode(models.TextChoices):
        REPLACE = "replace", "Replace the members of the target group"
        MERGE = "merge", "Keep other members of the target group"

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="links")
    group = models.ForeignKey(UserGroup, models.CASCADE, related_name="links")
    former_group = models.ForeignKey(UserGroup, models.SET_NULL, null=True, blank=True, related_name="former_links")
    target = models.OneToOneField(VaultUserGroup, models.CASCADE, related_name="link")
    mode = models.CharField(max_length=20, choices=Mode.choices, default=Mode.REPLACE)
    created_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True, blank=True)
    ending_at = models.DateTimeField(null=True, blank=True)
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


class VaultAccess(TenantModel):
    """What an admin decided about an account in a vault, beside its links; without a row, links alone decide.

    ``access``: *given* makes the account a vault user without a link, *blocked* keeps its vault user disabled whatever
    links want. ``full_control`` is M-Files' *Full control of vault*; null leaves it as the vault has it, and all other
    admin rights are left alone always.
    """

    class Access(models.TextChoices):
        BY_LINKS = "by_links", "By links only"
        GIVEN = "given", "Given by an admin"
        BLOCKED = "blocked", "Disabled by an admin"

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="+", db_index=False)
    account = models.ForeignKey(LoginAccount, models.CASCADE, related_name="vault_accesses", db_index=False)
    vault = models.ForeignKey(Vault, models.CASCADE, related_name="accesses")
    access = models.CharField(max_length=10, choices=Access.choices, default=Access.BY_LINKS)
    full_control = models.BooleanField(null=True, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "vault"], name="vault_access_unique")]

    def __str__(self) -> str:
        return f"{self.account_id} in {self.vault_id}: {self.access}"


class TrustedPerson(TenantModel):
    """Who approves restarts and the like and gets incident mail: of one vault, or (``vault`` null) of all vaults."""

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="trusted_persons")
    vault = models.ForeignKey(Vault, models.CASCADE, null=True, blank=True, related_name="trusted_persons")
    name = models.CharField(max_length=200)
    email = models.EmailField()
    email_key = models.CharField(max_length=254)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["vault", "email_key"], name="trusted_person_of_vault_unique"),
            models.UniqueConstraint(
                fields=["subscription", "email_key"],
                condition=Q(vault__isnull=True),
                name="trusted_person_of_all_unique",
            ),
        ]

    def __str__(self) -> str:
        return self.email
