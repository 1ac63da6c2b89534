from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Least

from provisioning.license_types import LICENSE_TYPE_CHOICES
from provisioning.models.accounts import LoginAccount
from provisioning.models.configurations import ProvisioningConfiguration
from provisioning.models.subscriptions import Subscription
from provisioning.models.tenants import SubscriptionOf, TenantModel


class UserGroup(TenantModel):
    """A group that an identity provider created through one configuration.

    A deleted group stays as a row with ``deleted_at`` while its links wait out their grace period.
    ``document`` and ``search`` are as on ``LoginAccount``, without ``members``. A raised ``generation`` means that the
    group's license type, deletion or revival concerns all its members, and that the workers have not spread it yet.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="groups")
    configuration = models.ForeignKey(ProvisioningConfiguration, models.CASCADE, related_name="groups")
    scim_id = models.CharField(max_length=36, unique=True)
    display_name = models.TextField()
    display_name_key = models.TextField()
    external_id = models.TextField(null=True, blank=True)  # noqa: DJ001
    license_type = models.PositiveSmallIntegerField(choices=LICENSE_TYPE_CHOICES, null=True, blank=True)
    document = models.JSONField(default=dict)
    search = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)
    generation = models.PositiveBigIntegerField(default=1)
    observed_generation = models.PositiveBigIntegerField(default=1)

    accounts = models.ManyToManyField(LoginAccount, through="GroupMembership", related_name="groups")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["configuration", "display_name_key"],
                condition=Q(deleted_at__isnull=True),
                name="group_display_name_unique",
            ),
            models.UniqueConstraint(
                fields=["configuration", "external_id"],
                condition=Q(deleted_at__isnull=True, external_id__isnull=False),
                name="group_external_id_unique",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                *("configuration", Least("id", "id"), "id"),
                condition=Q(deleted_at__isnull=True),
                name="group_scim_page",
            ),
            models.Index(
                fields=["subscription", "display_name_key", "id"],
                condition=Q(deleted_at__isnull=True),
                name="group_list",
            ),
            models.Index(
                fields=["subscription", "id"], condition=~Q(generation=F("observed_generation")), name="group_due"
            ),
            models.Index(
                fields=["configuration", "external_id"],
                condition=Q(deleted_at__isnull=False, external_id__isnull=False),
                name="group_former",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name


class GroupMembership(TenantModel):
    """A login account is a member of a user group."""

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="+", db_index=False)
    group = models.ForeignKey(UserGroup, models.CASCADE, related_name="memberships", db_index=False)
    account = models.ForeignKey(LoginAccount, models.CASCADE, related_name="memberships")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["group", "account"], name="membership_unique")]

    def __str__(self) -> str:
        return f"{self.account_id} in {self.group_id}"


class GroupNesting(TenantModel):
    """A user group is listed as a member of another. Entra does not expand it, and neither do licenses or links."""

    subscription = SubscriptionOf("group")
    group = models.ForeignKey(UserGroup, models.CASCADE, related_name="nestings", db_index=False)
    child = models.ForeignKey(UserGroup, models.CASCADE, related_name="parent_nestings")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["group", "child"], name="nesting_unique")]

    def __str__(self) -> str:
        return f"{self.child_id} in {self.group_id}"
