import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Least

from provisioning.models.configurations import ProvisioningConfiguration
from provisioning.models.subscriptions import Subscription
from provisioning.models.tenants import TenantModel


class LoginAccount(TenantModel):
    """A person or machine known to the subscription; on screens *internal user* or *application account*.

    ``scim_id`` is what the identity provider calls it; it is null for manual and removed accounts.
    ``document`` is the SCIM resource as the provider last wrote it (canonical names, without ``id``, ``schemas``,
    ``meta`` and ``groups``); ``search`` is the same with the strings of case-insensitive attributes case-folded,
    for filters.
    ``intended_active`` is what the identity provider was told that ``active`` is, while a protection keeps
    ``is_enabled`` otherwise (1-product §1.3); null when nothing is held back. SCIM shows it, all else goes by
    ``is_enabled``.

    Every index costs every write that changes what it speaks of: foreign keys have none of their own where another
    index begins with them, and ``scim_id`` has no second one for patterns. Pages go by
    the least of ``id`` and itself, which is no order of the primary key: PostgreSQL would walk that past all other
    configurations' rows. Of sums it cannot know that they leak nothing, and with row-level security it would look at
    them last (decision 25).
    """

    class Kind(models.TextChoices):
        PERSON = "person", "Internal user"
        APPLICATION = "application", "Application account"

    class Role(models.IntegerChoices):
        NO_ROLE = 0, "No role"
        BILLING_ADMIN = 1, "Billing admin"
        ACCESS_ADMIN = 2, "Access admin"
        SUBSCRIPTION_ADMIN = 3, "Subscription admin"

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="accounts", db_index=False)
    configuration = models.ForeignKey(
        ProvisioningConfiguration, models.SET_NULL, null=True, blank=True, related_name="accounts", db_index=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="login_accounts", db_index=False
    )
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    scim_id = models.CharField(max_length=36, null=True, blank=True)  # noqa: DJ001
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.PERSON)
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.NO_ROLE)
    role_username_key = models.TextField(null=True, blank=True)  # noqa: DJ001
    username = models.TextField()
    username_key = models.TextField()
    external_id = models.TextField(null=True, blank=True)  # noqa: DJ001
    full_name = models.TextField(blank=True)
    email = models.TextField(blank=True)
    display_name_key = models.TextField(blank=True)
    email_key = models.TextField(blank=True)
    info1 = models.TextField("Additional information 1", blank=True)
    info2 = models.TextField("Additional information 2", blank=True)
    is_enabled = models.BooleanField(default=True)
    intended_active = models.BooleanField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    document = models.JSONField(default=dict)
    search = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scim_id"], name="account_scim_id_unique"),
            models.UniqueConstraint(fields=["subscription", "username_key"], name="account_username_unique"),
            models.UniqueConstraint(
                fields=["configuration", "external_id"],
                condition=Q(scim_id__isnull=False, external_id__isnull=False),
                name="account_external_id_unique",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user"], condition=Q(user__isnull=False), name="account_user"),
            models.Index(
                *("configuration", Least("id", "id"), "id"),
                condition=Q(scim_id__isnull=False),
                name="account_scim_page",
            ),
            models.Index(
                *("configuration", Least("id", "id"), "id"),
                condition=Q(scim_id__isnull=False)
                & ~Q(Coalesce("intended_active", "is_enabled", output_field=models.BooleanField())),
                name="account_scim_inactive",
            ),
            models.Index(fields=["configuration", "username_key"], name="account_scim_username"),
            models.Index(fields=["configuration", "display_name_key"], name="account_scim_display_name"),
            models.Index(fields=["configuration", "email_key"], name="account_scim_email"),
            models.Index(fields=["configuration", "modified_at"], name="account_scim_modified"),
            models.Index(fields=["subscription", "full_name", "id"], name="account_list"),
            models.Index(
                fields=["subscription", "full_name", "id"], condition=Q(is_enabled=False), name="account_list_disabled"
            ),
            # A few among a million people, whom this index costs nothing.
            models.Index(
                fields=["subscription", "full_name", "id"],
                condition=Q(kind="application"),
                name="account_application",
            ),
            # Few have a role, and who has none costs this index nothing.
            models.Index(fields=["subscription", "role"], condition=Q(role__gt=0), name="account_role"),
        ]

    def __str__(self) -> str:
        return self.username

    @property
    def is_removed(self) -> bool:
        """True when the identity provider removed the account (a SCIM DELETE)."""
        return self.removed_at is not None


class DueAccount(TenantModel):
    """An account that licenses and vaults must look at: something that they care about has changed.

    ``generation`` rises with every further change, so that the worker who has looked takes the row away only when
    nothing has come since. The table is narrow on purpose: an account's own row stands in many indexes. The account
    has no constraint in the database, which would cost every write; a row without one is taken away like all others.
    """

    pk = models.CompositePrimaryKey("subscription_id", "account_id")
    subscription = models.ForeignKey(
        Subscription, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    account = models.ForeignKey(LoginAccount, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    generation = models.PositiveBigIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.account_id} at {self.generation}"
