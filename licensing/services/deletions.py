"""What licenses and vaults keep of a deleted configuration once its deletion is final (1-product §1.2, rule 7)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef

from licensing.models import LicenseGrant, VaultUser, VaultUserMembership
from licensing.services import bulk, pools, wishes
from provisioning.models import GroupLink, ProvisioningConfiguration, VaultUserGroup

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
    """Receive the signal of that name: nobody wants these members any more, and nobody is to take them away.

    Workers wait from here on, so that none of them records a member whom it still believed to be wanted.
    """
    links = GroupLink.objects.filter(pk__in=link_ids)
    for subscription_id in links.order_by("subscription_id").values_list("subscription_id", flat=True).distinct():
        pools.lock(subscription_id)
    targets = list(VaultUserGroup.objects.filter(link__in=link_ids).values_list("pk", flat=True))
    _leave_as_they_are(targets)
    VaultUserMembership.objects.filter(target__in=targets).delete()


def _leave_as_they_are(targets: Sequence[int]) -> None:
    """Let vault users that nothing else wants not come, nor be enabled, if they were only on their way."""
    members = VaultUserMembership.objects.filter(vault_user=OuterRef("pk"))
    elsewhere = members.filter(wanted=True).exclude(target__in=targets)
    users = VaultUser.objects.filter(Exists(members.filter(target__in=targets)), ~Exists(elsewhere))
    coming = users.filter(wanted_enabled=True, wanted_manual=False).exclude(seen_enabled=True)
    rows = coming.select_for_update(of=("self",)).order_by("account_id").values_list("pk", flat=True)
    while found := list(rows[:_CHUNK]):
        VaultUser.objects.filter(pk__in=found).update(wanted_enabled=False)
