"""What a changed policy of the subscription makes due (1-product §1.4, rules 4 and 6; §1.5, rule 4)."""

from collections.abc import Set
from datetime import datetime

from django.db.models import F

from licensing.models import LicenseGrant, LicensePool
from licensing.services import overrides, pools
from provisioning.license_types import LicenseType
from provisioning.models import Subscription


def look_again(subscription_id: int, *, fields: Set[str], at: datetime) -> None:
    """Make due what the changed ``fields`` concern, in as many statements for a million accounts as for one.

    Another release policy: every disabled account that still has a license, as if its time had come; the reconciler
    then works out what the policy says. Seats given whenever one is free: everybody who waits. Vault users enabled
    whom a person disabled: all of those who are wanted.
    """
    if fields & {"release_policy", "release_after_days"}:
        # Whoever changes grants holds the pools, so that nobody deadlocks.
        pools.lock(subscription_id)
        held = LicenseGrant.objects.filter(subscription_id=subscription_id, granted_type__gt=LicenseType.NONE)
        held.filter(account__is_enabled=False).update(release_due_at=at)
    if "fill_policy" in fields and _always_fills(subscription_id):
        LicensePool.objects.filter(subscription_id=subscription_id).update(generation=F("generation") + 1)
    if "overrides_vault_disabling" in fields:
        overrides.look_again(subscription_id, at)


def _always_fills(subscription_id: int) -> bool:
    """Return whether free seats go to who waits at any time; a change to the vendor's policy gives nobody a seat."""
    rows = Subscription.objects.filter(pk=subscription_id)
    return rows.filter(fill_policy=Subscription.FillPolicy.ALWAYS).exists()
