import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from provisioning.license_types import LICENSE_TYPE_CHOICES, LicenseType
from provisioning.models.subscriptions import Subscription


def make_public_id() -> str:
    """Return an unguessable, URL-safe text of 22 characters: the configuration's part of its Tenant URL."""
    return secrets.token_urlsafe(16)


class ProvisioningConfiguration(models.Model):
    """A connection from one identity provider; owns the users and groups that came through it.

    Its OAuth client is a row of django-oauth-toolkit (``application``), which holds the client ID and the tokens;
    its secrets are ``ClientSecret`` rows, of which only keyed digests are stored.
    """

    class Kind(models.TextChoices):
        GALLERY = "gallery", "Microsoft Entra app gallery"
        OTHER = "other", "Other SCIM provider"
        CLASSIC = "classic", "Microsoft Entra ID classic"

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="configurations")
    application = models.OneToOneField(
        settings.OAUTH2_PROVIDER_APPLICATION_MODEL, models.CASCADE, related_name="configuration"
    )
    public_id = models.CharField(max_length=22, unique=True, default=make_public_id, editable=False)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.GALLERY)
    default_license_type = models.PositiveSmallIntegerField(choices=LICENSE_TYPE_CHOICES, default=LicenseType.NONE)
    created_at = models.DateTimeField()
    first_contact_at = models.DateTimeField(null=True, blank=True)
    last_contact_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    generation = models.PositiveBigIntegerField(default=1)
    observed_generation = models.PositiveBigIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("subscription", Lower("name"), name="configuration_name_unique")
        ]

    def __str__(self) -> str:
        return self.name

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


class ClientSecret(models.Model):
    """One secret of a configuration's OAuth client; the secret itself is never stored."""

    configuration = models.ForeignKey(ProvisioningConfiguration, models.CASCADE, related_name="secrets")
    digest = models.CharField(max_length=64)
    last_four = models.CharField(max_length=4)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"…{self.last_four}"
