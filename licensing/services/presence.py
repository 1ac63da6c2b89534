"""What links and admins want of accounts in vaults, recorded as due vault users: a constant number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.models import Q

from licensing.clients.agent import LoginAccount as ServerAccount
from licensing.models import VaultUser, VaultUserMembership
from licensing.plans import vaults as plan
from licensing.services import bulk
from provisioning.license_types import LicenseType
from provisioning.models import GroupMembership, LoginAccount, VaultAccess

SOURCE_GRACE = timedelta(hours=24)
"""For how long the members of a link's deleted source group stay in its target (1-product §1.3)."""
Place = tuple[int, int]
"""An account and a vault, by id."""


@dataclass(slots=True)
class _Wishes:
    """What is wanted of the accounts: the target groups that links want, and what admins decided."""

    able: set[int]
    targets: dict[Place, set[int]]
    accesses: dict[Place, VaultAccess]

    def of(self, place: Place, account: ServerAccount) -> plan.Wanted:
        """Return what is wanted of the account in the vault; who may not get in has been given access for later."""
        access = self.accesses.get(place)
        profile = plan.profile(account)
        targets = frozenset(self.targets.get(place, ()))
        if access is None:
            return plan.Wanted(targets, profile, able=place[0] in self.able)
        return plan.Wanted(
            targets,
            profile,
            manual=access.access == VaultAccess.Access.GIVEN and place[0] in self.able,
            blocked=access.access == VaultAccess.Access.BLOCKED,
            full_control=access.full_control,
            able=place[0] in self.able,
        )


@dataclass(slots=True)
class _Records:
    """What is recorded of the accounts' vault users."""

    users: dict[Place, VaultUser] = field(default_factory=dict)
    targets: dict[Place, set[int]] = field(default_factory=lambda: defaultdict(set))
    frozen: dict[Place, set[int]] = field(default_factory=lambda: defaultdict(set))


def server_accounts(ids: Iterable[int]) -> dict[int, ServerAccount]:
    """Return these accounts as vault servers shall know them, by id; one may never have been given a license yet."""
    rows = LoginAccount.objects.filter(pk__in=ids).values_list(
        "pk", "uid", "username", "full_name", "email", "is_enabled", "license_grant__granted_type"
    )
    return {
        pk: ServerAccount(str(uid), username, full_name, email, LicenseType(granted or 0), is_enabled)
        for pk, uid, username, full_name, email, is_enabled, granted in rows
    }


def recompute(subscription_id: int, account_ids: Sequence[int], now: datetime) -> int:
    """Record what is wanted of these accounts, and make the vault users due of which something is new.

    Returns how many became due.
    """
    account_ids = _concerned(account_ids)
    if not account_ids:
        return 0
    accounts = server_accounts(account_ids)
    wishes = _wishes(accounts, now)
    records = _recorded(account_ids)
    revisions: dict[Place, plan.Revision] = {}
    for place in wishes.targets.keys() | wishes.accesses.keys() | records.users.keys():
        account = accounts.get(place[0])
        if account and (revision := plan.revise(wishes.of(place, account), _known(place, records))):
            revisions[place] = revision
    _write(subscription_id, revisions, accounts, now)
    return len(revisions)


def _concerned(account_ids: Sequence[int]) -> list[int]:
    """Return those of the accounts that a vault knows, or that a link or an admin may want there: mostly few."""
    with connection.cursor() as cursor:
        cursor.execute(_CONCERNED.format(ids=bulk.id_list()), [bulk.ids(account_ids)] * 4)
        return [row[0] for row in cursor.fetchall()]


def _wishes(accounts: dict[int, ServerAccount], now: datetime) -> _Wishes:
    able = {pk for pk, one in accounts.items() if one.enabled and one.license_type > LicenseType.NONE}
    accesses = VaultAccess.objects.filter(account_id__in=accounts)
    return _Wishes(able, _wanted_targets(able, now), {(one.account_id, one.vault_id): one for one in accesses})


def _wanted_targets(able: set[int], now: datetime) -> dict[Place, set[int]]:
    """Return the target groups that links want these accounts, which are enabled and licensed, to be in."""
    rows = GroupMembership.objects.filter(
        Q(group__deleted_at__isnull=True) | Q(group__deleted_at__gt=now - SOURCE_GRACE),
        account_id__in=able,
        group__links__paused_at__isnull=True,
        group__links__ending_at__isnull=True,
        group__links__isnull=False,
    )
    former = GroupMembership.objects.filter(
        account_id__in=able,
        group__deleted_at__gt=now - SOURCE_GRACE,
        group__former_links__paused_at__isnull=True,
        group__former_links__isnull=False,
    )
    places = [
        *rows.values_list("account_id", "group__links__target__vault_id", "group__links__target_id"),
        *former.values_list("account_id", "group__former_links__target__vault_id", "group__former_links__target_id"),
    ]
    wanted: dict[Place, set[int]] = defaultdict(set)
    for account_id, vault_id, target_id in places:
        wanted[account_id, vault_id].add(target_id)
    return wanted


def _recorded(account_ids: Sequence[int]) -> _Records:
    records = _Records()
    for user in VaultUser.objects.filter(account_id__in=account_ids):
        records.users[user.account_id or 0, user.vault_id] = user
    members = VaultUserMembership.objects.filter(vault_user__account_id__in=account_ids, wanted=True)
    for account_id, vault_id, target_id, paused_at, ending_at in members.values_list(
        "vault_user__account_id",
        "vault_user__vault_id",
        "target_id",
        "target__link__paused_at",
        "target__link__ending_at",
    ):
        records.targets[account_id, vault_id].add(target_id)
        if paused_at is not None and ending_at is None:
            records.frozen[account_id, vault_id].add(target_id)
    return records


def _known(place: Place, records: _Records) -> plan.Known | None:
    user = records.users.get(place)
    if user is None:
        return None
    return plan.Known(
        user.wanted_enabled,
        user.wanted_profile,
        frozenset(records.targets.get(place, ())),
        frozenset(records.frozen.get(place, ())),
        manual=user.wanted_manual,
        blocked=user.is_blocked,
        full_control=user.wanted_full_control,
        is_there=user.seen_enabled is not None,
    )


def _write(
    subscription_id: int,
    revisions: dict[Place, plan.Revision],
    accounts: dict[int, ServerAccount],
    now: datetime,
) -> None:
    if not revisions:
        return
    rows = [
        _user_row(subscription_id, place, accounts[place[0]].uid or "", revision, now)
        for place, revision in sorted(revisions.items(), key=itemgetter(0))
    ]
    # In the order of accounts, as everybody who changes several vault users, so that nobody deadlocks.
    bulk.put(
        VaultUser,
        rows,
        key=["vault_id", "account_uid"],
        changing=["account_id", "due_at", *_WISHES],
        raising=["generation"],
    )
    _write_members(subscription_id, revisions)


_WISHES = ("wanted_enabled", "wanted_profile", "wanted_manual", "is_blocked", "wanted_full_control")


def _user_row(subscription_id: int, place: Place, uid: str, revision: plan.Revision, now: datetime) -> dict[str, Any]:
    return {
        "subscription_id": subscription_id,
        "vault_id": place[1],
        "account_id": place[0],
        "account_uid": uid,
        "wanted_enabled": revision.enabled,
        "wanted_profile": revision.profile,
        "wanted_manual": revision.manual,
        "is_blocked": revision.blocked,
        "wanted_full_control": revision.full_control,
        "seen_profile": "",
        "disabled_by": "",
        "overrides_person": False,
        "generation": 1,
        "observed_generation": 0,
        "state": "ready",
        "reason": "",
        "attempts": 0,
        "due_at": now,
    }


def _write_members(subscription_id: int, revisions: dict[Place, plan.Revision]) -> None:
    moved = {place: revision for place, revision in revisions.items() if revision.joined or revision.left}
    if not moved:
        return
    users = VaultUser.objects.filter(account_id__in={account_id for account_id, _ in moved})
    ids = {(account_id, vault_id): pk for pk, account_id, vault_id in users.values_list("pk", "account_id", "vault_id")}
    rows = [
        {
            "subscription_id": subscription_id,
            "vault_user_id": ids[place],
            "target_id": target_id,
            "wanted": target_id in revision.joined,
            "seen": False,
            "added_by_us": False,
        }
        for place, revision in moved.items()
        for target_id in revision.joined | revision.left
    ]
    bulk.put(VaultUserMembership, rows, key=["vault_user_id", "target_id"], changing=["wanted"])


_CONCERNED = """
SELECT m.account_id FROM provisioning_grouplink l JOIN provisioning_groupmembership m ON m.group_id = l.group_id
WHERE m.account_id IN ({ids})
UNION SELECT m.account_id FROM provisioning_grouplink l
JOIN provisioning_groupmembership m ON m.group_id = l.former_group_id WHERE m.account_id IN ({ids})
UNION SELECT account_id FROM licensing_vaultuser WHERE account_id IN ({ids})
UNION SELECT account_id FROM provisioning_vaultaccess WHERE account_id IN ({ids}) ORDER BY 1"""
