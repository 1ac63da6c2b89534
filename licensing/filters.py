"""How internal users are filtered by their licenses and vaults; an index finds the accounts that fit."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from licensing.models import WAITING, LicenseGrant, VaultUser
from provisioning.filters import Filter
from provisioning.license_types import LICENSE_TYPE_CHOICES
from provisioning.models import Subscription, Vault

_ANY_TYPE = "any"
_VAULTS_OFFERED = 500


def types(_subscription: Subscription) -> Sequence[tuple[str, str]]:
    return [(str(number), label) for number, label in LICENSE_TYPE_CHOICES]


def granted(subscription: Subscription, value: str) -> QuerySet[Any, Any]:
    return LicenseGrant.objects.filter(subscription=subscription, granted_type=int(value)).values("account_id")


def queues(_subscription: Subscription) -> Sequence[tuple[str, str]]:
    return [
        (_ANY_TYPE, "For any type"),
        *((str(number), f"For {label}") for number, label in LICENSE_TYPE_CHOICES[:-1]),
    ]


def waiting(subscription: Subscription, value: str) -> QuerySet[Any, Any]:
    grants = LicenseGrant.objects.filter(WAITING, subscription=subscription)
    return (grants if value == _ANY_TYPE else grants.filter(wanted_type=int(value))).values("account_id")


def vaults(subscription: Subscription) -> Sequence[tuple[str, str]]:
    rows = Vault.objects.filter(subscription=subscription).order_by("name").values_list("pk", "name")
    return [(str(pk), name) for pk, name in rows[:_VAULTS_OFFERED]]


def enabled_in(_subscription: Subscription, value: str) -> QuerySet[Any, Any]:
    """Return those who are enabled in a vault that ``vaults`` offered, which is the subscription's."""
    users = VaultUser.objects.filter(vault_id=int(value), account__isnull=False, seen_enabled=True)
    return users.values("account_id")


LICENSE = Filter("license", "License", types, granted)
WAITS = Filter("waiting", "Waits", queues, waiting)
VAULT = Filter("vault", "Vault", vaults, enabled_in)
