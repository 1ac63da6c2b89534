"""Target groups of links: made when missing, and compared with what their links want."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

from django.db.models import F

from licensing.clients.agent import MAX_ITEMS
from licensing.models import Ending, LinkStatus, VaultUser, VaultUserMembership
from licensing.plans import vaults as plan
from licensing.reconcilers.ranges import ranges
from licensing.reconcilers.sessions import VaultSession
from licensing.services import bulk
from licensing.services.due import unprepared_links
from provisioning.models import DueAccount, GroupLink, VaultUserGroup


@dataclass(slots=True)
class Drift:
    """What a comparison found in a vault that is not as it was left; ``repaired`` of these are put right."""

    missing: int = 0
    unexpected: int = 0
    different: int = 0
    repaired: int = 0


def prepare(session: VaultSession) -> None:
    """Make the targets of new and changed links, and record who is in them.

    A link waits while a member of its group is not yet looked at: in *replace* mode whom the link does not want must
    leave, so first it must be known whom it wants.
    """
    links = unprepared_links().filter(target__vault=session.vault)
    for link in links.select_related("target", "group"):
        if not members_due(link):
            _prepare(session, link)


def members_due(link: GroupLink) -> bool:
    """Return whether it is not yet known whom the link wants."""
    if link.generation != link.observed_generation:
        return True
    return DueAccount.objects.filter(
        subscription_id=link.subscription_id, account__memberships__group_id=link.group_id
    ).exists()


def _prepare(session: VaultSession, link: GroupLink) -> None:
    if not _ensure(session, link.target):
        sentence = f"“{link.target.name}” is built in and its members cannot be set. Choose another target group."
        _conclude(session, link, Ending.STALLED, sentence)
        return
    compare(session, link, Drift())
    _conclude(session, link, Ending.READY, "")


def _ensure(session: VaultSession, target: VaultUserGroup) -> bool:
    """Make the target unless it is there, and return whether its members can be set."""
    if target.remote_id is None and not target.is_built_in:
        group = session.tell(session.agent.ensure_group, target.name)
        target.remote_id, target.is_built_in = group.id, group.built_in
        with session.lease.recording():
            target.save(update_fields=["remote_id", "is_built_in"])
    return not target.is_built_in


def _conclude(session: VaultSession, link: GroupLink, state: Ending, reason: str) -> None:
    with session.lease.recording():
        values = {"prepared_generation": link.generation, "state": state, "reason": reason}
        LinkStatus.objects.update_or_create(
            link=link, defaults=values, create_defaults={"subscription_id": link.subscription_id, **values}
        )


def compare(session: VaultSession, link: GroupLink, drift: Drift) -> None:
    """Compare the target's members with the records, a page at a time; make due who is not as wanted.

    In *replace* mode members that no record knows leave at once. Raises as the vault agent does.
    """
    records = VaultUserMembership.objects.filter(target_id=link.target_id).select_related("vault_user")
    listing = partial(session.list_members, link.target.remote_id or 0)
    for part in ranges(listing, attrgetter("key")):
        known = {str(row.vault_user.account_uid): row for row in part.records(records, "vault_user__account_uid")}
        _record_seen(session, known, part.items.keys(), drift)
        strangers = plan.strangers_to_remove(present=part.items, known=known.keys(), mode=plan.Mode(link.mode))
        if not session.only_looks:
            _remove(session, link, strangers)
        drift.unexpected += len(strangers)
        drift.repaired += len(strangers)


def _record_seen(session: VaultSession, known: dict[str, VaultUserMembership], present: Set[str], drift: Drift) -> None:
    """Record who is there; who is not as wanted becomes due."""
    news = [row for uid, row in known.items() if row.seen != (uid in present)]
    drift.missing += sum(row.wanted for row in news if row.seen)
    drift.unexpected += sum(not row.wanted for row in news if not row.seen)
    drift.repaired += sum(row.wanted == row.seen for row in news)
    open_users = [row.vault_user_id for uid, row in known.items() if row.wanted != (uid in present)]
    if session.only_looks or not (news or open_users):
        return
    with session.lease.recording():
        lock_users([*open_users, *(row.vault_user_id for row in news)])
        bulk.change(VaultUserMembership, [{"id": row.pk, "seen": not row.seen} for row in news], changing=["seen"])
        wake(session, open_users)


def lock_users(ids: Iterable[int]) -> None:
    """Lock vault users in the order of their accounts, as everybody who changes several, so that nobody deadlocks."""
    list(VaultUser.objects.select_for_update().filter(pk__in=ids).order_by("account_id").values_list("pk"))


def wake(session: VaultSession, ids: Iterable[int]) -> None:
    """Make these vault users, which the caller has locked, due now."""
    VaultUser.objects.filter(pk__in=ids).update(generation=F("generation") + 1, due_at=session.lease.start)


def _remove(session: VaultSession, link: GroupLink, keys: list[str]) -> None:
    for start in range(0, len(keys), MAX_ITEMS):
        chunk = keys[start : start + MAX_ITEMS]
        session.tell(session.agent.change_group_members, link.target.remote_id, remove=chunk)
