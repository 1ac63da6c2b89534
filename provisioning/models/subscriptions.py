from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower


class Subscription(models.Model):
    """The tenant: everything else belongs to exactly one.

    In each hour a configuration may disable or remove ``protection_least`` accounts, or ``protection_percent`` of its
    users where that is more; what goes beyond is held (1-product §1.3, protection against accidents).
    ``overrides_vault_disabling``: a vault user that a person disabled in the vault is enabled again (§1.5, rule 4).
    """

    class Edition(models.TextChoices):
        CLOUD = "cloud", "Cloud"
        CLASSIC_CLOUD = "classic_cloud", "Classic cloud"

    class ReleasePolicy(models.TextChoices):
        """What becomes of the license of an account that is disabled or removed (1-product §1.4, rule 6)."""

        KEEP = "keep", "Keep the license"
        AT_ONCE = "at_once", "Release at once"
        AFTER_DAYS = "after_days", "Release after a number of days"

    class FillPolicy(models.TextChoices):
        """When seats go to waiting accounts (1-product §1.4, rule 4)."""

        ALWAYS = "always", "Whenever a seat becomes free"
        ON_PURCHASE = "on_purchase", "Only when the purchased number changes"

    name = models.CharField(max_length=200)
    number = models.CharField(max_length=40, unique=True)
    edition = models.CharField(max_length=20, choices=Edition.choices, default=Edition.CLOUD)
    contact_name = models.CharField(max_length=200, blank=True)
    contact_email = models.EmailField(blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    release_policy = models.CharField(max_length=20, choices=ReleasePolicy.choices, default=ReleasePolicy.AFTER_DAYS)
    release_after_days = models.PositiveSmallIntegerField(default=7)
    fill_policy = models.CharField(max_length=20, choices=FillPolicy.choices, default=FillPolicy.ALWAYS)
    protection_least = models.PositiveIntegerField(default=10)
    protection_percent = models.PositiveSmallIntegerField(default=20)
    overrides_vault_disabling = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("name"), name="subscription_name_unique")]

    def __str__(self) -> str:
        return self.name
