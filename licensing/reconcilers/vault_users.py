"""Bring due vault users of one vault to what is wanted of them: read wanted, read seen, plan, call, record."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from licensing.clients.agent import (
    DEFAULT_ROLES,
    AgentError,
    AgentRefused,
    ErrorCode,
    ItemResult,
    LoginAccount,
    Outcome,
    VaultUserWish,
)
from licensing.clients.agent import VaultUser as SeenUser
from licensing.models import Ending, LinkStatus, VaultUser, VaultUserMembership
from licensing.plans import vaults as plan
from licensing.plans.backoff import wait_after
from licensing.reconcilers.sessions import VaultSession
from licensing.reconcilers.targets import lock_users
from licensing.services import bulk, presence
from provisioning.models import Subscription, VaultUserGroup
from provisioning.services.accounts import touch_accounts

BATCH = 500


@dataclass(slots=True)
class Item:
    """One vault user on its way: its record, its login account (None: detached), what was seen, what went wrong."""

    record: VaultUser
    account: LoginAccount | None
    verb: plan.Verb = plan.Verb.NOTHING
    remote_id: int | None = None
    enabled: bool | None = None
    by_person: bool = False
    roles: int | None = None
    is_there: bool = False
    is_detached: bool = False
    overrides: bool = False
    profile: str = ""
    error: AgentError | None = None
    members: list[VaultUserMembership] = field(default_factory=list)

    @property
    def key(self) -> str:
        return str(self.record.account_uid)

    @property
    def is_asked_for(self) -> bool:
        """Whether a link or an admin wants it; others are as a removed link left them, and do not come back."""
        return self.record.wanted_manual or any(member.wanted for member in self.members)

    @property
    def is_blocked_out(self) -> bool:
        """Whether a link wants it, who is not there and, blocked, does not come."""
        return self.record.is_blocked and self.enabled is None and any(member.wanted for member in self.members)

    @property
    def is_careful(self) -> bool:
        """Whether the step goes by what the vault user is like at that moment: its other rights, or being detached."""
        is_step = self.verb is plan.Verb.CREATE or (self.verb is not plan.Verb.NOTHING and self.is_there)
        return is_step and (self.is_detached or self._has_other_rights)

    @property
    def _has_other_rights(self) -> bool:
        full_control = self.record.wanted_full_control
        return full_control is not None and (
            self.roles is None or self.roles != plan.roles_for(self.roles, full_control)
        )


def reconcile_due(session: VaultSession) -> None:
    """Work through all due vault users of the vault, until its turn is over.

    Raises ``AgentUnavailable``, ``AgentRefused``, ``LeaseLost`` and ``TurnOver``.
    """
    while items := _claim(session):
        _look(session, items)
        _put_accounts(session, items)
        _put_users(session, items)
        _change_members(session, items)
        _record(session, items)
        session.end_of_batch()


def _claim(session: VaultSession) -> list[Item]:
    due = VaultUser.objects.filter(vault=session.vault, due_at__lte=session.lease.start)
    rows = list(due.order_by("due_at", "pk")[:BATCH])
    accounts = presence.server_accounts(row.account_id for row in rows if row.account_id)
    items = {row.pk: Item(row, accounts.get(row.account_id or 0)) for row in rows}
    for member in _members(items):
        items[member.vault_user_id].members.append(member)
    # Read after the rows: whoever switches the policy on makes rows due in the same transaction.
    overrides = _overrides(session) if items else False
    for item in items.values():
        item.overrides = overrides or item.record.overrides_person
    return list(items.values())


def _members(ids: Iterable[int]) -> list[VaultUserMembership]:
    """Return what is wanted of vault users in targets, by target; members of one target share it."""
    found = list(VaultUserMembership.objects.filter(vault_user_id__in=ids).order_by("target_id"))
    groups = VaultUserGroup.objects.select_related("link__status")
    targets = groups.in_bulk({member.target_id for member in found})
    # A target, and its members with it, may have been removed in between.
    members = [member for member in found if member.target_id in targets]
    for member in members:
        member.target = targets[member.target_id]
    return members


def _overrides(session: VaultSession) -> bool:
    """Return whether whom a person disabled in a vault is enabled again (rule 4)."""
    subscriptions = Subscription.objects.filter(pk=session.vault.subscription_id)
    return subscriptions.values_list("overrides_vault_disabling", flat=True).get()


def _look(session: VaultSession, items: list[Item]) -> None:
    """Read how the users are now, and decide what to do about each."""
    seen = _ask(session, items)
    for item in items:
        user = seen.get(item.key)
        if user and user.deleted and not item.is_asked_for:
            item.record.wanted_enabled = False
        item.verb = plan.plan(wanted(item.record, overrides=item.overrides), presence_of(user, item.record))
        item.profile = item.record.seen_profile
        _take_seen(item, user)
        for member in item.members:
            if user is None or user.deleted or member.target.remote_id is None:
                member.seen = member.added_by_us = False


def _ask(session: VaultSession, items: list[Item]) -> dict[str, SeenUser]:
    return {user.key: user for user in session.ask(session.agent.get_vault_users, [item.key for item in items])}


def _take_seen(item: Item, user: SeenUser | None) -> None:
    if user is None:
        return
    item.roles, item.is_detached = user.roles, user.username is None
    item.is_there = not user.deleted
    if item.is_there:
        item.remote_id, item.enabled, item.by_person = user.id, user.enabled, user.disabled_by_person


def wanted(record: VaultUser, *, overrides: bool = False) -> plan.VaultPresence:
    """Return how the vault user shall be; a detached one shall be disabled and is left alone otherwise.

    ``overrides``: it is enabled although a person disabled it in the vault.
    """
    if record.account_id is None:
        return plan.VaultPresence(enabled=False, profile=record.seen_profile, is_detached=True)
    return plan.VaultPresence(
        record.wanted_enabled,
        record.wanted_profile,
        full_control=record.wanted_full_control,
        overrides_person=overrides or record.overrides_person,
    )


def presence_of(user: SeenUser | None, record: VaultUser) -> plan.VaultPresence | None:
    """Return how the vault user is, by what the vault says and what its login account was last told."""
    told = _told(record)
    if user is None:
        return plan.VaultPresence(enabled=False, profile=told, is_deleted=True) if told else None
    return plan.VaultPresence(
        user.enabled,
        told,
        user.disabled_by_person,
        user.deleted,
        full_control=plan.has_full_control(user.roles),
        is_detached=user.username is None,
    )


def _told(record: VaultUser) -> str:
    """Return what the login account was told last: unknown when a worker may have died before it recorded that."""
    return record.seen_profile or ("unknown" if record.observed_generation + 1 < record.generation else "")


def _put_accounts(session: VaultSession, items: list[Item]) -> None:
    """Bring the login accounts of those who need a step to what they shall be."""
    stepping = [item for item in items if item.verb is not plan.Verb.NOTHING and item.account]
    results = _sent(session, session.agent.put_login_accounts, [item.account for item in stepping])
    for item, result in zip(stepping, results, strict=True):
        item.error = result.error
        if result.error is None and item.account:
            item.profile = plan.profile(item.account)
        if result.outcome is Outcome.UPDATED and item.verb is plan.Verb.UPDATE and not item.is_careful:
            session.tally.count(result.outcome)


def _put_users(session: VaultSession, items: list[Item]) -> None:
    verbs = (*_ENABLING, plan.Verb.DISABLE)
    stepping = [item for item in items if (item.verb in verbs or item.is_careful) and not item.error]
    careful = [item for item in stepping if item.is_careful]
    # Once more: putting a login account may have attached a vault user to it, or renamed it.
    seen = _ask(session, careful) if careful else {}
    wishes = [_careful_wish(item, seen.get(item.key)) if item.is_careful else _wish(item) for item in stepping]
    results = _sent(session, session.agent.put_vault_users, wishes)
    for item, wish, result in zip(stepping, wishes, results, strict=True):
        _take_result(item, wish, result)
        session.tally.count(result.outcome)


_ENABLING = (plan.Verb.CREATE, plan.Verb.ENABLE)


def _wish(item: Item) -> VaultUserWish:
    return VaultUserWish(item.key, enabled=item.verb in _ENABLING, override_person=item.overrides)


def _careful_wish(item: Item, user: SeenUser | None) -> VaultUserWish:
    """Return the wish for a vault user as it is now: all of its rights but one stay, whoever changes them meanwhile."""
    full_control = item.record.wanted_full_control
    if user is None:
        return replace(_wish(item), roles=plan.roles_for(DEFAULT_ROLES, full_control))
    _take_seen(item, user)
    roles = None if full_control is None else plan.roles_for(user.roles, full_control)
    enabled = user.enabled if item.verb is plan.Verb.UPDATE else item.verb in _ENABLING
    return replace(_wish(item), enabled=enabled, roles=roles, if_match=user.etag)


def _take_result(item: Item, wish: VaultUserWish, result: ItemResult) -> None:
    if result.error and result.error.code == ErrorCode.DISABLED_BY_PERSON:
        item.remote_id, item.enabled, item.by_person = result.id, False, True
    elif result.error:
        item.error = result.error
    else:
        item.remote_id, item.enabled = result.id, wish.enabled
        item.roles = DEFAULT_ROLES if result.outcome is Outcome.CREATED else item.roles
        item.roles = item.roles if wish.roles is None else wish.roles


def _sent(session: VaultSession, call: Any, values: list[Any]) -> list[ItemResult]:
    return session.tell(call, values) if values else []


def _change_members(session: VaultSession, items: list[Item]) -> None:
    """Add and remove members of target groups, one call for each target."""
    by_target: dict[int, list[tuple[Item, VaultUserMembership, plan.Step]]] = defaultdict(list)
    targets: dict[int, VaultUserGroup] = {}
    for item in items:
        for member in item.members if not item.error else ():
            if (step := _step(member, item)) is not plan.Step.NOTHING:
                by_target[member.target_id].append((item, member, step))
                targets[member.target_id] = member.target
    for target_id, steps in by_target.items():
        _change_target(session, targets[target_id], steps)


def _step(member: VaultUserMembership, item: Item) -> plan.Step:
    """Return what to do about a member; nothing until its target is being prepared, or when no link leads there."""
    link = getattr(member.target, "link", None)
    if link is None or link.paused_at or member.target.remote_id is None or item.enabled is None:
        return plan.Step.NOTHING
    if not hasattr(link, "status") or not (link.status.prepared_generation or link.status.position):
        return plan.Step.NOTHING
    return plan.member_step(
        wanted=member.wanted, seen=member.seen, added_by_us=member.added_by_us, mode=plan.Mode(link.mode)
    )


def _change_target(
    session: VaultSession, target: VaultUserGroup, steps: Sequence[tuple[Item, VaultUserMembership, plan.Step]]
) -> None:
    adding = [step for step in steps if step[2] is plan.Step.ADD]
    removing = [step for step in steps if step[2] is plan.Step.REMOVE]
    _intend(session, [member for _, member, _ in adding])
    try:
        results = session.tell(
            session.agent.change_group_members,
            target.remote_id,
            add=[item.key for item, _, _ in adding],
            remove=[item.key for item, _, _ in removing],
        )
    except AgentRefused as refusal:
        if refusal.code != ErrorCode.GROUP_NOT_FOUND:
            raise
        _forget_target(target, steps)
        return
    for (item, member, step), result in zip([*adding, *removing], results, strict=True):
        item.error = item.error or result.error
        if result.error is None:
            member.seen = step is plan.Step.ADD
            member.added_by_us = step is plan.Step.ADD and (member.added_by_us or result.outcome is Outcome.ADDED)


def _intend(session: VaultSession, adding: list[VaultUserMembership]) -> None:
    """Record beforehand whom we are about to add: should the answer get lost, they are still known to be ours."""
    new = [member.pk for member in adding if not member.added_by_us]
    if new:
        with session.lease.recording():
            VaultUserMembership.objects.filter(pk__in=new).update(added_by_us=True)


def _forget_target(target: VaultUserGroup, steps: Iterable[tuple[Item, VaultUserMembership, plan.Step]]) -> None:
    """A person deleted the target group in the vault: have it made again before its members are tried again."""
    VaultUserGroup.objects.filter(pk=target.pk).update(remote_id=None)
    LinkStatus.objects.filter(link__target=target).update(prepared_generation=0)
    sentence = f"The user group “{target.name}” is gone from the vault and is made again."
    for item, _, _ in steps:
        item.error = AgentError(ErrorCode.GROUP_NOT_FOUND, sentence, retryable=True)


def _record(session: VaultSession, items: list[Item]) -> None:
    """Record what was reached; who was changed meanwhile stays due."""
    with session.lease.recording():
        ordered = sorted(items, key=lambda item: item.record.account_id or 0)
        lock_users(item.record.pk for item in ordered)
        rows = [_seen_row(item) | _ending_row(session, item) for item in ordered]
        bulk.change(VaultUser, rows, changing=_SEEN, same="generation", while_same=_ENDING)
        _record_members([member for item in ordered for member in item.members])
        # A blocked one is in no target once it is gone: what is wanted of it is another thing now.
        touch_accounts([pk for item in ordered if item.is_blocked_out and (pk := item.record.account_id)])


_SEEN = ["remote_id", "seen_enabled", "seen_profile", "seen_roles", "disabled_by"]
_ENDING = ["observed_generation", "state", "reason", "attempts", "due_at", "overrides_person", "wanted_enabled"]


def _seen_row(item: Item) -> dict[str, Any]:
    by = VaultUser.DisabledBy
    return {
        "id": item.record.pk,
        "remote_id": item.remote_id,
        "seen_enabled": item.enabled,
        "seen_profile": item.profile,
        "seen_roles": None if item.enabled is None else item.roles,
        "disabled_by": by.NOBODY if item.enabled is not False else by.PERSON if item.by_person else by.SYSTEM,
    }


def _ending_row(session: VaultSession, item: Item) -> dict[str, Any]:
    state, due_at = Ending.READY, None
    attempts = item.record.attempts + 1 if item.error else 0
    if item.error and item.error.retryable:
        state, due_at = Ending.RETRYING, session.lease.now() + wait_after(attempts)
    elif item.error:
        state = Ending.STALLED
    return {
        "id": item.record.pk,
        "generation": item.record.generation,
        "observed_generation": item.record.generation,
        "state": state,
        "reason": item.error.sentence if item.error else "",
        "attempts": min(attempts, 1000),
        "due_at": due_at,
        "overrides_person": item.record.overrides_person and item.enabled is not True,
        "wanted_enabled": item.record.wanted_enabled,
    }


def _record_members(members: list[VaultUserMembership]) -> None:
    rows = [{"id": one.pk, "seen": one.seen, "added_by_us": one.added_by_us} for one in members]
    bulk.change(VaultUserMembership, rows, changing=["seen", "added_by_us"])
    settled = [member.pk for member in members if not member.wanted and not _must_leave(member)]
    VaultUserMembership.objects.filter(pk__in=settled, wanted=False).delete()


def _must_leave(member: VaultUserMembership) -> bool:
    link = getattr(member.target, "link", None)
    if link is None:
        return False
    return plan.must_leave(seen=member.seen, added_by_us=member.added_by_us, mode=plan.Mode(link.mode))
