"""What is due: the rows are the queue, and these are its queries."""

from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from licensing.models import (
    Ending,
    LicenseGrant,
    LicensePool,
    VaultGroupChange,
    VaultStatus,
    VaultUser,
    VaultUserMembership,
)
from licensing.services.presence import SOURCE_GRACE
from provisioning.models import (
    DueAccount,
    GroupLink,
    ProvisioningConfiguration,
    Subscription,
    UserGroup,
    Vault,
    VaultUserGroup,
)

BEHIND = ~Q(generation=F("observed_generation"))
UNPREPARED = Q(status__isnull=True) | ~Q(status__prepared_generation=F("generation"))
"""Links whose target has not been looked at since they were made or changed."""


def ended_links(now: datetime) -> QuerySet[GroupLink]:
    """Return the links whose source group was deleted so long ago that its members must leave, and do not know yet."""
    return GroupLink.objects.filter(group__deleted_at__lte=now - SOURCE_GRACE, status__source_ended_at__isnull=True)


def bereft_links(now: datetime) -> QuerySet[GroupLink]:
    """Return the links that keep members of a group that was deleted so long ago that they must leave."""
    return GroupLink.objects.filter(former_group__deleted_at__lte=now - SOURCE_GRACE)


def due_subscriptions(now: datetime) -> list[int]:
    """Return the subscriptions in which the license reconciler has something to do, in one statement."""
    kinds: tuple[QuerySet[Any], ...] = (
        DueAccount.objects.all(),
        UserGroup.objects.filter(BEHIND),
        ProvisioningConfiguration.objects.filter(BEHIND),
        GroupLink.objects.filter(BEHIND),
        LicensePool.objects.filter(BEHIND),
        LicenseGrant.objects.filter(release_due_at__lte=now),
        ended_links(now),
        bereft_links(now),
    )
    due = Q()
    for rows in kinds:
        due |= Q(Exists(rows.filter(subscription_id=OuterRef("pk"))))
    return list(Subscription.objects.filter(due).order_by("pk").values_list("pk", flat=True))


def know_vaults(subscription_id: int | None = None) -> None:
    """Give every vault, of one subscription or of all, that has none yet a status; it is due at once."""
    new = Vault.objects.filter(status__isnull=True)
    if subscription_id is not None:
        new = new.filter(subscription_id=subscription_id)
    statuses = [
        VaultStatus(
            vault=vault, subscription_id=vault.subscription_id, due_at=vault.created_at, compare_due_at=vault.created_at
        )
        for vault in new
    ]
    VaultStatus.objects.bulk_create(statuses, ignore_conflicts=True)


def due_vaults(now: datetime) -> QuerySet[VaultStatus]:
    """Return the statuses of vaults that need a look now and that no worker is looking at."""
    # The first one by its index: asked whether there is one before a time, PostgreSQL would read all users.
    users = VaultUser.objects.filter(vault_id=OuterRef("vault_id"), due_at__isnull=False).order_by("due_at")
    links = unprepared_links().filter(target__vault_id=OuterRef("vault_id"))
    emptied = emptied_links().filter(target__vault_id=OuterRef("vault_id"))
    has_links = Q(Exists(links)) | Q(Exists(emptied))
    has_work = Q(state=Ending.READY) & (Q(first_due__lte=now) | has_links | Q(compare_due_at__lte=now))
    wishes = due_changes(now).filter(vault_id=OuterRef("vault_id"))
    groups = open_groups().filter(vault_id=OuterRef("vault_id"))
    has_work |= Q(state=Ending.READY) & (Q(Exists(wishes)) | Q(Exists(groups)))
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    statuses = VaultStatus.objects.filter(free).alias(first_due=Subquery(users.values("due_at")[:1]))
    return statuses.filter(Q(due_at__lte=now) | has_work).order_by("due_at")


def due_changes(now: datetime) -> QuerySet[VaultGroupChange]:
    """Return people's wishes about members of vault user groups that can be carried out now."""
    return VaultGroupChange.objects.filter(due_at__lte=now, group__remote_id__isnull=False)


def open_groups() -> QuerySet[VaultUserGroup]:
    """Return the vault user groups that a person asked to be made, shown or hidden, and the vault has not refused."""
    is_open = Q(is_requested=True) | Q(wanted_visible__isnull=False, remote_id__isnull=False)
    asked = Q(is_requested=True) | Q(wanted_visible__isnull=False)
    return VaultUserGroup.objects.filter(asked, is_open, reason="")


def unprepared_links() -> QuerySet[GroupLink]:
    """Return the links whose target must be looked at before its members are changed."""
    return GroupLink.objects.filter(UNPREPARED, paused_at__isnull=True, ending_at__isnull=True)


def emptied_links() -> QuerySet[GroupLink]:
    """Return the links that are being removed and whose members have all left, as far as the link may take them away.

    Who has not been looked at since may still be recorded as wanted.
    """
    due = DueAccount.objects.filter(subscription_id=OuterRef("subscription_id"))
    members = VaultUserMembership.objects.filter(target_id=OuterRef("target_id"))
    leaving = Q(added_by_us=True) | Q(seen=True, target__link__mode=GroupLink.Mode.REPLACE)
    ending = GroupLink.objects.filter(~BEHIND, ending_at__isnull=False, paused_at__isnull=True)
    return ending.exclude(Exists(members.filter(wanted=True))).exclude(
        Exists(members.filter(leaving, target__remote_id__isnull=False))
        | Exists(due.filter(account__memberships__group_id=OuterRef("group_id")))
        | Exists(due.filter(account__vault_users__memberships__target_id=OuterRef("target_id")))
    )
