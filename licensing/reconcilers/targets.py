"""Target groups of links: made when missing, and compared with what their links want."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from operator import attrgetter
from typing import Any

from django.db.models import F

from licensing.clients.agent import MAX_ITEMS, GroupMember, Page
from licensing.models import Ending, LinkStatus, VaultUser, VaultUserMembership
from licensing.plans import vaults as plan
from licensing.plans.drift import Drift, Kind
from licensing.reconcilers.ranges import Range, Records, Rest, ranges
from licensing.reconcilers.sessions import VaultSession
from licensing.services import bulk, due, link_statuses, names
from licensing.services.link_statuses import LinkRemoved
from provisioning.models import DueAccount, GroupLink, Vault, VaultUserGroup


def prepare(session: VaultSession) -> None:
    """Make the targets of new and changed links, unless their source was deleted, and record who is in them.

    A link waits while a member of its group is not yet looked at: in *replace* mode whom the link does not want must
    leave, so first it must be known whom it wants. Raises ``TurnOver``; the next turn goes on where this one was.
    """
    links = due.unprepared_links().filter(target__vault=session.vault)
    for link in links.select_related("target", "group"):
        if not members_due(link):
            with suppress(LinkRemoved):
                _prepare(session, link)


def is_interrupted(vault: Vault) -> bool:
    """Return whether the stock of a target is half taken."""
    return due.unprepared_links().filter(target__vault=vault).filter(status__position__isnull=False).exists()


def members_due(link: GroupLink) -> bool:
    """Return whether it is not yet known whom the link wants."""
    if link.generation != link.observed_generation:
        return True
    return DueAccount.objects.filter(
        subscription_id=link.subscription_id, account__memberships__group_id=link.group_id
    ).exists()


def _prepare(session: VaultSession, link: GroupLink) -> None:
    if not _ensure(session, link):
        sentence = f"“{link.target.name}” is built in and its members cannot be set. Choose another target group."
        _conclude(session, link, Ending.STALLED, sentence)
        return
    _take_stock(session, link)
    _conclude(session, link, Ending.READY, "")


def _ensure(session: VaultSession, link: GroupLink) -> bool:
    """Make the target unless it is there or its source is gone; return whether its members can be set."""
    target = link.target
    if target.remote_id is None and not target.is_built_in and link.group.deleted_at is None:
        group = session.tell(session.agent.ensure_group, target.name)
        target.remote_id, target.is_built_in = group.id, group.built_in
        with session.lease.recording():
            target.save(update_fields=["remote_id", "is_built_in"])
    return not target.is_built_in


def drop_emptied(session: VaultSession) -> None:
    """Let links go that are being removed and have no members left to take away."""
    for link in due.emptied_links().filter(target__vault=session.vault):
        with suppress(LinkRemoved), session.lease.recording():
            VaultUserMembership.objects.filter(target_id=link.target_id, wanted=False).delete()
            link_statuses.lock(link)
            GroupLink.objects.filter(pk=link.pk, ending_at__isnull=False).delete()


def _conclude(session: VaultSession, link: GroupLink, state: Ending, reason: str) -> None:
    with session.lease.recording():
        link_statuses.put(link, prepared_generation=link.generation, state=state, reason=reason, position=None)


def _take_stock(session: VaultSession, link: GroupLink) -> None:
    """Record who is in the target, a page at a time; who is not as wanted is due, or leaves.

    Nobody is in a target that is not there, as one that a person deleted and that is not made again.
    """
    for part in ranges(_listing(session, link.target), attrgetter("key"), members(link), _reached(link)):
        remove(session, link, strangers(link, part))
        with session.lease.recording():
            record_members(session, link, part, Drift())
            if part.rest is None:
                link_statuses.lock(link)
            else:
                link_statuses.put(link, position=_stage(link) | part.rest.document())
        if part.rest is not None:
            session.end_of_batch()


def _listing(session: VaultSession, target: VaultUserGroup) -> Callable[[str | None], Page[GroupMember]]:
    if target.remote_id is None:
        return lambda _cursor: Page((), None)
    return partial(session.list_members, target.remote_id)


def _stage(link: GroupLink) -> dict[str, Any]:
    """Return what must still be so for the stock to be taken on from a place in the target."""
    return {"generation": link.generation, "target": link.target.remote_id}


def _reached(link: GroupLink) -> Rest:
    """Return where an earlier turn left off; the beginning when link or target are not what they were then."""
    position = LinkStatus.objects.filter(link=link).values_list("position", flat=True).first() or {}
    return Rest.read(position) if _stage(link).items() <= position.items() else Rest()


def members(link: GroupLink) -> Records[VaultUserMembership]:
    """Return what is recorded of the target's members."""
    rows = VaultUserMembership.objects.filter(target_id=link.target_id, vault_user__vault_id=link.target.vault_id)
    return Records(rows.select_related("vault_user"), "vault_user__account_uid")


def strangers(link: GroupLink, part: Range[GroupMember, VaultUserMembership]) -> list[str]:
    """Return the members that no record knows and that must leave at once: in *replace* mode all of them."""
    known = {str(row.vault_user.account_uid) for row in part.rows}
    return plan.strangers_to_remove(present=part.items, known=known, mode=plan.Mode(link.mode))


def record_members(
    session: VaultSession, link: GroupLink, part: Range[GroupMember, VaultUserMembership], drift: Drift
) -> None:
    """Record who is there; who is not as wanted becomes due. Within a transaction that holds the lease."""
    here = [(row, str(row.vault_user.account_uid) in part.items) for row in part.rows]
    news = [row for row, is_there in here if row.seen != is_there]
    _report(link, [row for row in news if row.wanted == row.seen], drift)
    open_users = [row.vault_user_id for row, is_there in here if row.wanted != is_there]
    if session.only_looks or not (news or open_users):
        return
    lock_users([*open_users, *(row.vault_user_id for row in news)])
    bulk.change(VaultUserMembership, [{"id": row.pk, "seen": not row.seen} for row in news], changing=["seen"])
    wake(session, open_users)


def _report(link: GroupLink, rows: Sequence[VaultUserMembership], drift: Drift) -> None:
    """Report those who were as wanted and are so no more."""
    called = names.of_accounts(row.vault_user.account_id for row in rows)
    for row in rows:
        subject = f"{link.target.name}: {called.get(row.vault_user.account_id or 0, row.vault_user.account_uid)}"
        if row.wanted:
            drift.found(Kind.MISSING, subject, "is no member although a link wants it", is_repaired=True)
        else:
            is_repaired = row.added_by_us or link.mode == GroupLink.Mode.REPLACE
            drift.found(Kind.UNEXPECTED, subject, "is a member although no link wants it", is_repaired=is_repaired)


def lock_users(ids: Iterable[int]) -> None:
    """Lock vault users in the order of their accounts, as everybody who changes several, so that nobody deadlocks."""
    list(VaultUser.objects.select_for_update().filter(pk__in=ids).order_by("account_id").values_list("pk"))


def wake(session: VaultSession, ids: Iterable[int]) -> None:
    """Make these vault users, which the caller has locked, due now."""
    VaultUser.objects.filter(pk__in=ids).update(generation=F("generation") + 1, due_at=session.lease.start)


def remove(session: VaultSession, link: GroupLink, keys: Sequence[str]) -> None:
    """Take members out of the target."""
    for start in range(0, len(keys), MAX_ITEMS):
        chunk = keys[start : start + MAX_ITEMS]
        session.tell(session.agent.change_group_members, link.target.remote_id, remove=chunk)
