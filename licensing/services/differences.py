"""What the workers have not yet brought in line, counted; nothing is changed and no vault is asked."""

from datetime import datetime

from django.db.models import F, Q

from licensing.models import Ending, LicenseGrant, VaultStatus, VaultUser, VaultUserMembership
from licensing.services.due import due_subscriptions, unprepared_links
from provisioning.models import DueAccount, GroupLink, Subscription

_OPEN = Q(due_at__isnull=False) | Q(state=Ending.STALLED)


def differences(*, subscription: Subscription, now: datetime) -> dict[str, int]:
    """Return how many of each kind are not as they shall be; an empty dictionary: all is in line.

    What needs a person (a refused user, a vault that cannot be reached) stays different until somebody acted.
    """
    pk = subscription.pk
    counts = {
        "accounts": DueAccount.objects.filter(subscription=pk).count(),
        "releases": LicenseGrant.objects.filter(subscription=pk, release_due_at__lte=now).count(),
        "vault_users": VaultUser.objects.filter(_OPEN, vault__subscription=pk).count(),
        "members": VaultUserMembership.objects.exclude(wanted=F("seen"))
        .filter(target__vault__subscription=pk, target__link__paused_at__isnull=True, target__link__isnull=False)
        .count(),
        "links": unprepared_links().filter(subscription=pk).count(),
        "endings": GroupLink.objects.filter(subscription=pk, ending_at__isnull=False, paused_at=None).count(),
        "vaults": VaultStatus.objects.filter(subscription=pk).exclude(state=Ending.READY).count(),
    }
    if not counts["accounts"] and pk in due_subscriptions(now):
        counts["subscription"] = 1
    return {kind: number for kind, number in counts.items() if number}
