import secrets
from datetime import datetime
from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from provisioning.license_types import LICENSE_TYPE_CHOICES, LicenseType
from provisioning.models.subscriptions import Subscription
from provisioning.models.tenants import SubscriptionOf, TenantModel

SHORTEST_TOKEN_LIFETIME: Final = 60 * 60
LONGEST_TOKEN_LIFETIME: Final = 6 * 60 * 60
"""Between these many seconds a provider's access token must live (scim-cases A-5)."""


class KindIsFixed(TypeError):
    """Code tries to turn a configuration into one of another kind, which has other credentials."""

    def __init__(self) -> None:
        super().__init__("The kind of a configuration never changes: create another configuration.")


def make_public_id() -> str:
    """Return an unguessable, URL-safe text of 22 characters: the configuration's part of its Tenant URL."""
    return secrets.token_urlsafe(16)


class ProvisioningConfiguration(TenantModel):
    """A connection from one identity provider; owns the users and groups that came through it.

    Its OAuth client is a row of django-oauth-toolkit (``application``), which holds the client ID and the tokens;
    its secrets are ``ClientSecret`` rows, of which only keyed digests are stored.
    ``adopts_manual_accounts`` lets a created user take over the manual account of that username (1-product §1.3);
    ``accepts_bare_tokens`` lets filters compare with words that are not quoted (decision D-23).
    A deleted configuration stays for a day with ``deleted_at``, in which the deletion can be undone (1-product §1.2,
    rule 7). ``refused_at`` and ``refusal`` tell of the last time that somebody came with its client ID or a token of it
    and was turned away, to the nearest 15 seconds. ``directory`` is the ID of its Entra tenant, where that is known.
    ``issuer``, ``subject`` and ``audience`` say whose tokens open it (``provisioning.services.assertions``); access
    tokens that are issued for it live for ``token_lifetime`` seconds. ``access_epoch`` grows whenever what was given
    out stops opening anything (``provisioning.services.access``).
    """

    class Kind(models.TextChoices):
        GALLERY = "gallery", "Microsoft Entra app gallery"
        OTHER = "other", "Other SCIM provider"
        CLASSIC = "classic", "Microsoft Entra ID classic"

    class Refusal(models.TextChoices):
        """Why the identity provider was turned away before it was known which call it wanted to make."""

        WRONG_SECRET = "wrong_secret", "Wrong client secret"
        EXPIRED_SECRET = "expired_secret", "Expired client secret"
        REVOKED_SECRET = "revoked_secret", "Revoked client secret"
        OTHER_TENANT_URL = "other_tenant_url", "Another Tenant URL"
        UNTRUSTED_TOKEN = "untrusted_token", "Untrusted token"
        ISSUER_SILENT = "issuer_silent", "Issuer does not answer"
        EXPIRED_TOKEN = "expired_token", "Expired bearer token"
        REVOKED_TOKEN = "revoked_token", "Revoked bearer token"

    class UserPatchStatus(models.IntegerChoices):
        """What a successful PATCH of a user answers (decision D-11): clients' test suites disagree."""

        CONTENT = 200, "200 with the user"
        NO_CONTENT = 204, "204 without content"

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="configurations")
    application = models.OneToOneField(
        settings.OAUTH2_PROVIDER_APPLICATION_MODEL, models.CASCADE, related_name="configuration"
    )
    public_id = models.CharField(max_length=22, unique=True, default=make_public_id, editable=False)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.GALLERY)
    default_license_type = models.PositiveSmallIntegerField(choices=LICENSE_TYPE_CHOICES, default=LicenseType.NONE)
    adopts_manual_accounts = models.BooleanField(default=False)
    user_patch_status = models.PositiveSmallIntegerField(
        choices=UserPatchStatus.choices, default=UserPatchStatus.CONTENT
    )
    accepts_bare_tokens = models.BooleanField(default=False)
    directory = models.CharField(max_length=36, default="", db_default="", blank=True)
    issuer = models.CharField(max_length=255, default="", db_default="", blank=True)
    subject = models.CharField(max_length=255, default="", db_default="", blank=True)
    audience = models.CharField(max_length=255, default="", db_default="", blank=True)
    token_lifetime = models.PositiveIntegerField(default=SHORTEST_TOKEN_LIFETIME, db_default=SHORTEST_TOKEN_LIFETIME)
    created_at = models.DateTimeField()
    first_contact_at = models.DateTimeField(null=True, blank=True)
    last_contact_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)
    refusal = models.CharField(max_length=20, choices=Refusal.choices, blank=True)
    access_epoch = models.PositiveBigIntegerField(default=0, db_default=0)
    generation = models.PositiveBigIntegerField(default=1)
    observed_generation = models.PositiveBigIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("subscription", Lower("name"), name="configuration_name_unique"),
            models.CheckConstraint(
                condition=models.Q(token_lifetime__range=(SHORTEST_TOKEN_LIFETIME, LONGEST_TOKEN_LIFETIME)),
                name="token_lifetime_is_allowed",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the row. Raises ``KindIsFixed``: the kind never changes (1-product §1.1)."""
        rows = type(self).objects.filter(pk=self.pk)
        if not self._state.adding and rows.exclude(kind=self.kind).exists():
            raise KindIsFixed
        super().save(*args, **kwargs)

    @property
    def client_id(self) -> str:
        """The OAuth client identifier (RFC 6749 §2.2)."""
        return str(self.application.client_id)

    @property
    def tenant_url(self) -> str:
        """The base address of this configuration's SCIM service (3-scim §3.1)."""
        return f"{settings.BASE_URL}/scim/v2/{self.public_id}"

    @property
    def token_endpoint(self) -> str:
        return f"{settings.BASE_URL}/oauth/token"


class ClientSecret(TenantModel):
    """One secret of a configuration's OAuth client; the secret itself is never stored.

    It lives until the first of ``expires_at``, ``retires_at`` (the end of the overlap when another one replaces it) and
    ``revoked_at``. ``pepper_version`` names the key of ``digest``; it is empty for a secret older than versions.
    ``form_id`` is of the form that made it, so that sending that again makes no second one. ``warned_days`` is the last
    threshold before its expiry that people were warned at.
    """

    class State(models.TextChoices):
        """What a secret is at a moment: computed, never stored."""

        LIVE = "live", "Valid"
        RETIRING = "retiring", "Being replaced"
        RETIRED = "retired", "Replaced"
        EXPIRED = "expired", "Expired"
        REVOKED = "revoked", "Revoked"

    subscription = SubscriptionOf("configuration")
    configuration = models.ForeignKey(ProvisioningConfiguration, models.CASCADE, related_name="secrets")
    digest = models.CharField(max_length=64)
    pepper_version = models.CharField(max_length=16, default="", db_default="", blank=True)
    last_four = models.CharField(max_length=4)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    retires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    form_id = models.UUIDField(null=True, blank=True, unique=True)
    warned_days = models.PositiveSmallIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return f"…{self.last_four}"

    def state(self, at: datetime) -> State:
        """Return what the secret is at that moment."""
        if self.revoked_at is not None:
            return self.State.REVOKED
        if self.expires_at <= at:
            return self.State.EXPIRED
        if self.retires_at is None:
            return self.State.LIVE
        return self.State.RETIRING if self.retires_at > at else self.State.RETIRED

    def is_live(self, at: datetime) -> bool:
        """Return whether the secret opens the token endpoint at that moment."""
        return self.state(at) in {self.State.LIVE, self.State.RETIRING}


class ResourceTotal(TenantModel):
    """How many users or groups a configuration has: the sum over its shards, so that writers need not wait in line.

    Kept in the transaction that makes or removes one. ``kind`` is a SCIM resource type, ``User`` or ``Group``.
    """

    subscription = SubscriptionOf("configuration")
    configuration = models.ForeignKey(ProvisioningConfiguration, models.CASCADE, related_name="totals", db_index=False)
    kind = models.CharField(max_length=20)
    shard = models.PositiveSmallIntegerField()
    number = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["configuration", "kind", "shard"], name="resource_total_unique")
        ]

    def __str__(self) -> str:
        return f"{self.number} of {self.kind}"


class CallCount(TenantModel):
    """How many SCIM calls a configuration made in one minute, reads included, and how many of them failed.

    Each process writes its own share every few seconds, so a process that is killed loses those since the last time.
    """

    subscription = SubscriptionOf("configuration")
    configuration = models.ForeignKey(
        ProvisioningConfiguration, models.CASCADE, related_name="call_counts", db_index=False
    )
    minute = models.DateTimeField()
    calls = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["configuration", "minute"], name="call_count_unique")]

    def __str__(self) -> str:
        return f"{self.calls} at {self.minute}"
