"""Accounts, groups and pools for the tests about licenses, made by the product's own services."""

from datetime import timedelta

from licensing.models import LicenseGrant, LicensePool
from licensing.reconcilers import licenses
from licensing.services import pools
from provisioning.license_types import LicenseType
from provisioning.models import ProvisioningConfiguration
from provisioning.services import accounts, groups
from provisioning.services.memberships import MemberChange
from tests.factories import ACTOR, NOON, make_call, make_profile

NONE, READ_ONLY, CONCURRENT, NAMED = LicenseType
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def purchase(subscription, at=NOON, **numbers):
    """``purchase(subscription, named=3, read_only=1)``."""
    purchases = {LicenseType[name.upper()]: number for name, number in numbers.items()}
    return pools.set_purchased(subscription=subscription, purchases=purchases, actor=ACTOR, at=at)


def reconcile(subscription, *, now=NOON, **options):
    return licenses.reconcile(subscription.pk, now=now, **options)


def license_of(account):
    """What the account has, and what it waits for."""
    grant = LicenseGrant.objects.get(account=account)
    return LicenseType(grant.granted_type), f"waits for {LicenseType(grant.wanted_type).label}" * grant.is_waiting


def has(account):
    return license_of(account)[0]


def pool(subscription, license_type):
    return LicensePool.objects.get(subscription=subscription, license_type=license_type)


def call_of(owned, **details):
    """A call that just came in: it knows of no end of access that was before it."""
    return make_call(ProvisioningConfiguration.objects.get(pk=owned.configuration_id), **details)


def change_members(group, *, add=(), remove=(), at=NOON):
    """Change members as a SCIM PATCH does."""
    steps = [
        MemberChange(kind, tuple(account.scim_id for account in members))
        for kind, members in (("add", add), ("remove", remove))
        if members
    ]
    call = call_of(group, operation="update", resource_type="Group", at=at)
    groups.change_group(scim_id=group.scim_id, change=lambda _group: groups.GroupChange(members=steps), call=call)


def remove_group(group, *, at=NOON):
    call = call_of(group, operation="delete", resource_type="Group", at=at)
    groups.remove_group(scim_id=group.scim_id, call=call)


def change_account(account, *, at=NOON, **fields):
    """Change an account as a SCIM PATCH does: ``is_enabled``, ``full_name``, ``username`` …"""
    known = {name: getattr(account, name) for name in ("username", "full_name", "email", "is_enabled")}
    profile = make_profile(**{**known, **fields})
    call = call_of(account, operation="update", at=at)
    return accounts.change_account(scim_id=account.scim_id, change=lambda _account: profile, call=call)


def disable(account, *, at=NOON):
    return change_account(account, is_enabled=False, at=at)


def enable(account, *, at=NOON):
    return change_account(account, is_enabled=True, at=at)


def remove(account, *, at=NOON):
    accounts.remove_account(scim_id=account.scim_id, call=call_of(account, operation="delete", at=at))
