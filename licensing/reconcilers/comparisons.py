"""The full comparison of a vault with the records: finds what changed behind our back, and makes it due.

Every listing is walked a page at a time with the records of the same range beside it, so that memory stays constant.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from operator import attrgetter
from typing import Any

from licensing.clients.agent import LoginAccount as ServerAccount
from licensing.clients.agent import VaultUser as SeenUser
from licensing.models import Ending, VaultUser, VaultUserMembership
from licensing.plans import vaults as plan
from licensing.plans.drift import Drift, Kind, person
from licensing.reconcilers import account_comparisons, targets, vault_users
from licensing.reconcilers.journals import Journal, Stage, Step
from licensing.reconcilers.ranges import Range, Records
from licensing.reconcilers.sessions import VaultSession
from licensing.reconcilers.targets import lock_users, wake
from licensing.services import bulk, drift, names
from licensing.services.due import UNPREPARED
from provisioning.models import GroupLink, VaultUserGroup

EVERY = timedelta(hours=6)
SPREAD = 1800
"""Comparisons of different vaults are spread over so many seconds."""
GROUP = "group:"
"""How the key of a group among the members of a group begins (docs/vault-agent.md)."""
_USERS: Stage = (Step.USERS, 0)
_ACCOUNTS: Stage = (Step.ACCOUNTS, 0)


def compare(session: VaultSession) -> Drift:
    """Compare users, login accounts and targets; what differs is recorded and due. Keeps the report.

    One that was interrupted goes on where it was. Raises ``TurnOver`` when it is interrupted again.
    """
    journal = Journal(session, None if session.only_looks else drift.begin(session.vault, session.lease.now()))
    known = Records(VaultUser.objects.filter(vault=session.vault))
    for users in journal.parts(_USERS, session.list_users, attrgetter("key"), known):
        _compare_users(journal, users)
    with_account = account_comparisons.records(session.vault)
    for accounts in journal.parts(_ACCOUNTS, session.list_accounts, _account_key, with_account):
        account_comparisons.compare(journal, _ACCOUNTS, accounts)
    for link in _links(session):
        _compare_members(journal, link)
    _finish(journal)
    return journal.total


def _account_key(account: ServerAccount) -> str:
    return account.uid or f"username:{account.username}"


def _links(session: VaultSession) -> list[GroupLink]:
    links = GroupLink.objects.filter(target__vault=session.vault, paused_at__isnull=True, ending_at__isnull=True)
    prepared = links.filter(~UNPREPARED, status__isnull=False, target__remote_id__isnull=False)
    return list(prepared.select_related("target", "group").order_by("target_id"))


def _compare_members(journal: Journal, link: GroupLink) -> None:
    """Compare a target's members, unless it is not yet known whom the link wants."""
    if targets.members_due(link):
        return
    stage: Stage = (Step.MEMBERS, link.target_id)
    listing = partial(journal.session.list_members, link.target.remote_id or 0)
    for part in journal.parts(stage, listing, attrgetter("key"), targets.members(link)):
        leaving = targets.strangers(link, part)
        _tell(journal, stage, link, journal.untold(stage, leaving))
        if not journal.session.only_looks:
            targets.remove(journal.session, link, leaving)
        with journal.page(stage, part) as found:
            targets.record_members(journal.session, link, part, found)


def _tell(journal: Journal, stage: Stage, link: GroupLink, leaving: list[str]) -> None:
    """Report the members of a target that leave it at once."""
    if not leaving:
        return
    called = _named(journal.session, leaving)
    with journal.ahead(stage, leaving) as found:
        for key in leaving:
            subject = f"{link.target.name}: {called.get(key, key)}"
            found.found(Kind.UNEXPECTED, subject, "is a member although no link wants it", is_repaired=True)


def _named(session: VaultSession, keys: list[str]) -> dict[str, str]:
    """Return how the vault calls these members, as far as they are vault users or known groups."""
    users = [key for key in keys if not key.startswith(GROUP)]
    found = session.ask(session.agent.get_vault_users, users) if users else []
    called = {user.key: user.username for user in found if user.username}
    groups = [key.removeprefix(GROUP) for key in keys if key.startswith(GROUP)]
    known = VaultUserGroup.objects.filter(vault=session.vault, remote_id__in=groups)
    return called | {f"{GROUP}{number}": f"the group {name}" for number, name in known.values_list("remote_id", "name")}


@dataclass(frozen=True, slots=True)
class _Look:
    """A record and the vault user that was seen for it, None when the vault does not have it."""

    row: VaultUser
    user: SeenUser | None
    overrides: bool
    """Whether whom a person disabled is enabled again (rule 4)."""

    @property
    def is_there(self) -> bool:
        return self.user is not None and not self.user.deleted

    @property
    def is_news(self) -> bool:
        """Whether the vault has the user, and how, is not as it was left."""
        return (self.seen["remote_id"], self.seen["seen_enabled"]) != (self.row.remote_id, self.row.seen_enabled)

    @property
    def seen(self) -> dict[str, Any]:
        """What is to be recorded of it."""
        if self.user is None or self.user.deleted:
            return {"remote_id": None, "seen_enabled": None, "seen_roles": None}
        return {"remote_id": self.user.id, "seen_enabled": self.user.enabled, "seen_roles": self.user.roles}

    @property
    def is_repaired(self) -> bool:
        """Whether it needs a step that is not on its way already and that the vault has not refused."""
        if self.row.due_at is not None or self.row.state == Ending.STALLED:
            return False
        seen = vault_users.presence_of(self.user, self.row)
        return plan.plan(vault_users.wanted(self.row, overrides=self.overrides), seen) is not plan.Verb.NOTHING

    @property
    def detail(self) -> str:
        """How it is, in words."""
        if self.user is None:
            return "is missing in the vault"
        return "was deleted in the vault by a person" if self.user.deleted else _difference(self.row, self.user)


def _difference(row: VaultUser, user: SeenUser) -> str:
    if row.seen_enabled is None:
        return "is in the vault, where it was not known"
    if user.enabled != row.seen_enabled:
        return f"was {'enabled' if user.enabled else 'disabled'} in the vault by a person"
    if user.username is None:
        return "has lost its login account"
    if user.id != row.remote_id:
        return f"has the number {user.id} in the vault, and had {row.remote_id}"
    return "has other admin rights in the vault than it shall have"


def _compare_users(journal: Journal, part: Range[SeenUser, VaultUser]) -> None:
    overrides = journal.session.vault.subscription.overrides_vault_disabling
    _leave_deleted(part)
    looks = [_Look(row, part.items.get(str(row.account_uid)), overrides) for row in part.rows]
    known = {str(row.account_uid) for row in part.rows}
    with journal.page(_USERS, part) as found:
        for key, user in part.items.items():
            if key not in known and not user.deleted:
                detail = "is in the vault, and no user of the portal"
                found.found(Kind.UNEXPECTED, user.username or key, detail, is_repaired=False)
        _report(looks, found)
        if not journal.session.only_looks:
            _record(journal.session, looks)


def _leave_deleted(part: Range[SeenUser, VaultUser]) -> None:
    """Want nobody back whom a person deleted, and whom nothing but a removed link had left enabled (rule 4).

    Only here in memory: it is news, so the vault user is looked at, and then it is recorded.
    """
    gone = {key for key, user in part.items.items() if user.deleted}
    rows = [row for row in part.rows if row.wanted_enabled and not row.wanted_manual and str(row.account_uid) in gone]
    members = VaultUserMembership.objects.filter(vault_user__in=[row.pk for row in rows], wanted=True)
    asked_for = set(members.values_list("vault_user_id", flat=True)) if rows else set()
    for row in rows:
        row.wanted_enabled = row.pk in asked_for


def _report(looks: Iterable[_Look], found: Drift) -> None:
    drifted = [look for look in looks if look.is_news or look.is_repaired]
    called = names.of_accounts(look.row.account_id for look in drifted)
    for look in drifted:
        username = look.user.username if look.user else None
        subject = called.get(look.row.account_id or 0) or person("", username or str(look.row.account_uid))
        kind = Kind.DIFFERENT if look.is_there else Kind.MISSING
        found.found(kind, subject, look.detail, is_repaired=look.is_repaired)


def _record(session: VaultSession, looks: list[_Look]) -> None:
    """Record how the users were seen; who changed or needs a step is due."""
    changed = [look for look in looks if look.is_news or look.seen["seen_roles"] != look.row.seen_roles]
    waking = {look.row.pk for look in looks if look.row.due_at is None and (look.is_news or look.is_repaired)}
    if not (changed or waking):
        return
    lock_users([*waking, *(look.row.pk for look in changed)])
    rows = [{"id": look.row.pk, **look.seen} for look in changed]
    bulk.change(VaultUser, rows, changing=["remote_id", "seen_enabled", "seen_roles"])
    wake(session, waking)


def _finish(journal: Journal) -> None:
    if journal.report is None:
        return
    session, now = journal.session, journal.session.lease.now()
    with session.lease.recording() as status:
        status.compared_at = now
        status.compare_due_at = now + EVERY + timedelta(seconds=session.vault.pk * 61 % SPREAD)
        status.save(update_fields=["compared_at", "compare_due_at"])
        drift.finish(journal.report, now)
