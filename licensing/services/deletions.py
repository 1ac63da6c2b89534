"""What licenses and vaults keep of a deleted configuration once its deletion is final (1-product §1.2, rule 7)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from licensing.models import LicenseGrant, VaultUserMembership
from licensing.services import bulk, pools, wishes
from provisioning.models import ProvisioningConfiguration, VaultUserGroup

_CHUNK = 5_000


def accounts_becoming_manual(
    *, configuration: ProvisioningConfiguration, account_ids: Sequence[int], at: datetime, **_: Any
) -> None:
    """Receive the signal of that name: what the configuration gave the accounts becomes their own, manual type."""
    pools.lock(configuration.subscription_id)
    known = set(LicenseGrant.objects.filter(account__in=account_ids).values_list("account_id", flat=True))
    new = [pk for pk in account_ids if pk not in known]
    if new:
        wishes.record(configuration.subscription_id, new, wishes.release_policy(configuration.subscription), at)
    rows = [{"account_id": pk, "manual_type": configuration.default_license_type} for pk in account_ids]
    bulk.change(LicenseGrant, rows, changing=["manual_type"], key="account_id")


def links_ending(*, link_ids: Sequence[int], **_: Any) -> None:
    """Receive the signal of that name: nobody wants these members any more, and nobody is to take them away."""
    targets = list(VaultUserGroup.objects.filter(link__in=link_ids).values_list("pk", flat=True))
    members = VaultUserMembership.objects.filter(target__in=targets).order_by("pk")
    while ids := list(members.values_list("pk", flat=True)[:_CHUNK]):
        VaultUserMembership.objects.filter(pk__in=ids).delete()
