"""What a change that touches many would do, by the same plan that will do it; nothing is changed (rule 9)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from licensing.clients.agent import AgentRefused, AgentUnavailable, each_group_member
from licensing.models import WAITING, LicenseGrant, LicensePool, VaultUser
from licensing.plans import licenses as plan
from licensing.plans.vaults import Mode, strangers_to_remove
from licensing.services import agents, facts
from provisioning.license_types import LICENSED_TYPES, LicenseType
from provisioning.models import GroupLink, GroupMembership, LoginAccount, Subscription, UserGroup, Vault, VaultUserGroup

Ask = tuple[datetime, str, plan.Waiting]
"""A place in the queue: the time of asking, the username, and who it is."""


class PreviewUnavailable(Exception):
    """The vault cannot be asked who is in the target group now."""

    def __init__(self, vault: Vault, sentence: str) -> None:
        super().__init__(f"What will change cannot be said, because “{vault.name}” cannot be asked: {sentence}")


@dataclass(slots=True)
class _Future:
    """What accounts have before and after a change, by id, and for what they will wait (NONE: they do not)."""

    before: dict[int, LicenseType] = field(default_factory=dict)
    after: dict[int, LicenseType] = field(default_factory=dict)
    waits: dict[int, LicenseType] = field(default_factory=dict)
    waited: dict[int, LicenseType] = field(default_factory=dict)

    def gaining(self) -> list[int]:
        return [pk for pk, old in self.before.items() if self.after[pk] > old]

    def losing(self) -> list[int]:
        return [pk for pk, old in self.before.items() if self.after[pk] < old]

    def starting_to_wait(self) -> list[int]:
        return [pk for pk, waits in self.waits.items() if waits and waits != self.waited.get(pk)]


def group_license(*, group: UserGroup, license_type: LicenseType | None, at: datetime) -> dict[str, Any]:
    """Return who gains a license, loses one or starts to wait when the group's type changes.

    ``removed_members`` counts who leaves target groups, ``created_vault_users`` who becomes a vault user thereby.
    """
    members = LoginAccount.objects.filter(memberships__group=group).order_by("pk")
    accounts, _ = facts.read(members, {group.pk: license_type})
    others = LicenseGrant.objects.filter(subscription=group.subscription).exclude(account__memberships__group=group)
    future = _future(group.subscription, accounts, others, at)
    licensed = [pk for pk in future.gaining() if not future.before[pk]]
    unlicensed = [pk for pk in future.losing() if not future.after[pk]]
    return {
        "gain": len(future.gaining()),
        "lose": len(future.losing()),
        "wait": len(future.starting_to_wait()),
        "removed_members": VaultUser.objects.filter(account_id__in=unlicensed, memberships__wanted=True).count(),
        "created_vault_users": len(_new_vault_users(licensed)),
        "accounts": _license_lines(future),
    }


def link(*, group: UserGroup, vault: Vault, target_name: str, mode: GroupLink.Mode) -> dict[str, Any]:
    """Return who becomes a vault user or must wait for a license when the group is linked, and who leaves the target.

    Raises ``PreviewUnavailable`` when the target exists and its vault cannot be asked.
    """
    rows = LoginAccount.objects.filter(memberships__group=group, is_enabled=True)
    members = list(rows.select_related("license_grant").defer("document", "search").order_by("username_key"))
    licensed = [one for one in members if getattr(one, "license_grant", None) and one.license_grant.granted_type]
    waiting = [one for one in members if one not in set(licensed)]
    seen = dict(VaultUser.objects.filter(vault=vault, account__in=licensed).values_list("account_id", "seen_enabled"))
    leaving = _leaving(vault, target_name, mode, {str(one.uid) for one in licensed})
    created = [one for one in licensed if seen.get(one.pk) is None]
    return {
        "gain": sum(not seen.get(one.pk) for one in licensed),
        "lose": 0,
        "wait": len(waiting),
        "removed_members": len(leaving),
        "created_vault_users": len(created),
        "accounts": [
            *_effects(created, "becomes a vault user"),
            *_effects((one for one in licensed if seen.get(one.pk) is False), "is enabled in the vault"),
            *_effects(waiting, "waits for a license"),
            *({"username": name, "effect": "leaves the target group"} for name in leaving),
        ],
    }


def _effects(accounts: Iterable[LoginAccount], effect: str) -> list[dict[str, str]]:
    return [{"username": account.username, "effect": effect} for account in accounts]


def _future(
    subscription: Subscription, accounts: Sequence[plan.AccountFacts], others: QuerySet[LicenseGrant], at: datetime
) -> _Future:
    """Run both steps of the license plan in memory, with the ``others`` who wait beside ``accounts``."""
    policy = facts.release_policy(subscription)
    wishes = {one.account_id: plan.wish(one, policy, at) for one in accounts}
    seats = _seats(subscription, wishes.values())
    # The vendor's fill policy serves only who asks just now (rule 4).
    always = subscription.fill_policy == Subscription.FillPolicy.ALWAYS
    queues = {}
    for license_type in LICENSED_TYPES:
        most = max(0, seats.free.get(license_type, 0)) + len(accounts)
        asking = _asking(license_type, accounts, wishes, always=always)
        asking += _others_asking(license_type, others, most, always=always)
        queues[license_type] = [waiting for _, _, waiting in sorted(asking, key=lambda ask: ask[:2])]
    return _after(accounts, wishes, plan.fill(seats, queues))


def _seats(subscription: Subscription, wishes: Iterable[plan.Wish]) -> plan.Seats:
    """Return the seats that are free once those who want nothing any more have given theirs back."""
    pools = {LicenseType(pool.license_type): pool for pool in LicensePool.objects.filter(subscription=subscription)}
    granted = {one: pool.granted for one, pool in pools.items()}
    for license_type, by in plan.changes((wish.released for wish in wishes if wish.released), ()).items():
        granted[license_type] = granted.get(license_type, 0) + by
    return plan.free_seats({one: pool.purchased for one, pool in pools.items()}, granted)


def _after(accounts: Sequence[plan.AccountFacts], wishes: dict[int, plan.Wish], given: Iterable[plan.Move]) -> _Future:
    future, moves = _Future(), {move.account_id: move for move in given}
    for one in accounts:
        wish, move = wishes[one.account_id], moves.pop(one.account_id, None)
        after = move.to if move else wish.granted
        future.before[one.account_id], future.after[one.account_id] = one.granted, after
        future.waits[one.account_id] = wish.wanted if wish.wanted != after else plan.NONE
        future.waited[one.account_id] = one.wanted if one.wanted != one.granted else plan.NONE
    for account_id, move in moves.items():
        future.before[account_id], future.after[account_id] = move.origin, move.to
    return future


def _asking(
    license_type: LicenseType, accounts: Sequence[plan.AccountFacts], wishes: dict[int, plan.Wish], *, always: bool
) -> list[Ask]:
    """Return who of ``accounts`` will wait for the type; ``always``: also who was passed over before."""
    asking: list[Ask] = []
    for one in accounts:
        wish = wishes[one.account_id]
        waits = wish.wanted == license_type != wish.granted
        if waits and wish.asked_at and (always or wish.passed_over_at is None):
            asking.append((wish.asked_at, one.username_key, plan.Waiting(one.account_id, wish.granted)))
    return asking


def _others_asking(license_type: LicenseType, others: QuerySet[LicenseGrant], most: int, *, always: bool) -> list[Ask]:
    """Return the first ``most`` of the others who wait for the type."""
    rows = others.filter(WAITING, wanted_type=license_type, asked_at__isnull=False)
    if not always:
        rows = rows.filter(passed_over_at__isnull=True)
    first = rows.order_by("asked_at", "username_key")[:most]
    return [
        (grant.asked_at, grant.username_key, plan.Waiting(grant.account_id, LicenseType(grant.granted_type)))
        for grant in first
        if grant.asked_at
    ]


def _license_lines(future: _Future) -> list[dict[str, str]]:
    touched = {*future.gaining(), *future.losing(), *future.starting_to_wait()}
    rows = LoginAccount.objects.filter(pk__in=touched).order_by("username_key").values_list("pk", "username")
    return [{"username": username, "effect": _effect(future, pk)} for pk, username in rows]


def _effect(future: _Future, pk: int) -> str:
    before, after, waits = future.before[pk], future.after[pk], future.waits.get(pk, plan.NONE)
    steps = [f"{before.label} → {after.label}"] if before != after else []
    steps += [f"waits for {waits.label}"] if waits else []
    return ", ".join(steps)


def _new_vault_users(account_ids: Iterable[int]) -> set[tuple[int, int]]:
    """Return the accounts and vaults in which these accounts become vault users once they have a license."""
    rows = GroupMembership.objects.filter(
        account_id__in=account_ids,
        account__is_enabled=True,
        group__deleted_at__isnull=True,
        group__links__isnull=False,
        group__links__paused_at__isnull=True,
    )
    linked = set(rows.values_list("account_id", "group__links__target__vault_id"))
    there = VaultUser.objects.filter(account_id__in=account_ids, seen_enabled__isnull=False)
    return linked - set(there.values_list("account_id", "vault_id"))


def _leaving(vault: Vault, target_name: str, mode: GroupLink.Mode, staying: set[str]) -> list[str]:
    """Return the names of the target's members that a *replace* link removes."""
    target = VaultUserGroup.objects.filter(vault=vault, name_key=target_name.casefold()).first()
    if mode == GroupLink.Mode.MERGE or target is None or target.remote_id is None:
        return []
    agent, guid = agents.agent_for(vault), str(vault.guid)
    try:
        present = [member.key for member in each_group_member(agent, guid, target.remote_id)]
        keys = strangers_to_remove(present=present, known=staying, mode=Mode(mode))
        names = {user.key: user.username for user in agent.get_vault_users(guid, keys[:1000])} if keys else {}
    except (AgentUnavailable, AgentRefused) as problem:
        raise PreviewUnavailable(vault, problem.sentence) from problem
    return [names.get(key) or key for key in keys]
