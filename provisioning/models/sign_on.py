from typing import ClassVar

from django.db import models

from provisioning.models.accounts import LoginAccount
from provisioning.models.subscriptions import Subscription
from provisioning.models.tenants import SubscriptionOf, TenantModel


class SingleSignOn(TenantModel):
    """The identity provider by which people of a subscription sign in to the portal (OpenID Connect Core 1.0).

    ``client_secret`` is sealed (``provisioning.sealing``). ``admits_manual_accounts``: also those who were not
    provisioned may come in by their username (decision 24); who has come in once is known by ``SignOnIdentity``.
    """

    subscription = models.OneToOneField(Subscription, models.CASCADE, related_name="single_sign_on")
    issuer = models.CharField(max_length=255)
    client_id = models.CharField(max_length=255)
    client_secret = models.TextField()
    is_enabled = models.BooleanField(default=True)
    admits_manual_accounts = models.BooleanField(default=False)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.issuer


class SignOnIdentity(TenantModel):
    """Who an account is to the identity provider: ``subject`` never changes and is never given to somebody else.

    A subject belongs to one account, and an account to one subject, until an admin forgets it.
    """

    subscription = SubscriptionOf("single_sign_on")
    single_sign_on = models.ForeignKey(SingleSignOn, models.CASCADE, related_name="identities", db_index=False)
    account = models.OneToOneField(LoginAccount, models.CASCADE, related_name="sign_on_identity")
    subject = models.CharField(max_length=255)
    bound_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["single_sign_on", "subject"], name="sign_on_subject_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} is {self.account_id}"
