"""What becomes of licenses and vault users when an account is deleted for good."""

from datetime import datetime
from typing import Any, Final

from django.db.models import F

from licensing.models import WAITING, LicenseGrant, VaultUser, VaultUserMembership
from licensing.services import pools
from provisioning.license_types import LicenseType
from provisioning.services.accounts import touch_accounts


def let_go(*, subscription_id: int, account_id: int, at: datetime) -> None:
    """Give the account's license back to its pool, and have its vault users leave their groups and be disabled.

    Within the transaction that deletes the account. Whoever gives seats waits from here on.
    """
    locked = pools.lock(subscription_id)
    grant = LicenseGrant.objects.filter(account_id=account_id, subscription_id=subscription_id).first()
    if grant is not None:
        if grant.granted_type:
            pools.change_granted(locked[LicenseType(grant.granted_type)], -1)
            _look_at_the_queue(subscription_id, grant.granted_type)
        grant.delete()
    VaultUserMembership.objects.filter(vault_user__account_id=account_id, wanted=True).update(wanted=False)
    users = VaultUser.objects.filter(account_id=account_id)
    users.update(**_NOBODYS, generation=F("generation") + 1, due_at=at)


_NOBODYS: Final[dict[str, Any]] = {
    "wanted_enabled": False,
    "wanted_manual": False,
    "is_blocked": False,
    "wanted_full_control": None,
    "overrides_person": False,
}
"""What is wanted of a vault user without an account: that it be disabled, and nothing else."""


def _look_at_the_queue(subscription_id: int, license_type: int) -> None:
    """Make the first who waits for the type due, so that the free seat is found even when no message arrives."""
    queue = LicenseGrant.objects.filter(WAITING, subscription_id=subscription_id, wanted_type=license_type)
    first = queue.order_by("asked_at", "username_key").values_list("account_id", flat=True)[:1]
    touch_accounts(list(first))
