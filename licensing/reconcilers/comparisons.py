"""The full comparison of a vault with the records: finds what changed behind our back, and makes it due.

Every listing is walked a page at a time with the records of the same range beside it, so that memory stays constant.
"""

from datetime import timedelta
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet

from licensing.clients.agent import LoginAccount
from licensing.clients.agent import VaultUser as SeenUser
from licensing.models import Ending, VaultUser
from licensing.plans import vaults as plan
from licensing.reconcilers import targets, vault_users
from licensing.reconcilers.ranges import ranges
from licensing.reconcilers.sessions import VaultSession
from licensing.reconcilers.targets import Drift, lock_users, wake
from licensing.services import bulk
from licensing.services.due import UNPREPARED
from provisioning.models import GroupLink

EVERY = timedelta(hours=6)
SPREAD = 1800
"""Comparisons of different vaults are spread over so many seconds."""


def compare(session: VaultSession) -> Drift:
    """Compare users, login accounts and targets; what differs is recorded and due. Keeps the report."""
    drift = Drift()
    for part in ranges(session.list_users, attrgetter("key")):
        rows = part.records(_records(session), "account_uid")
        _compare_users(session, list(rows), part.items, drift)
    for accounts in ranges(session.list_accounts, _account_key):
        rows = accounts.records(_records(session).filter(seen_enabled__isnull=False), "account_uid")
        _compare_accounts(session, list(rows), accounts.items, drift)
    for link in _links(session):
        if not targets.members_due(link):
            targets.compare(session, link, drift)
    if not session.only_looks:
        _report(session, drift)
    return drift


def _records(session: VaultSession) -> QuerySet[VaultUser]:
    return VaultUser.objects.filter(vault=session.vault)


def _account_key(account: LoginAccount) -> str:
    return account.uid or f"username:{account.username}"


def _links(session: VaultSession) -> list[GroupLink]:
    links = GroupLink.objects.filter(target__vault=session.vault, paused_at__isnull=True, status__isnull=False)
    return list(links.filter(~UNPREPARED, target__remote_id__isnull=False).select_related("target"))


def _compare_users(session: VaultSession, rows: list[VaultUser], items: dict[str, SeenUser], drift: Drift) -> None:
    known = {str(row.account_uid): row for row in rows}
    drift.unexpected += sum(key not in known and not user.deleted for key, user in items.items())
    news = [row for uid, row in known.items() if _seen(items.get(uid)) != (row.remote_id, row.seen_enabled)]
    steps = [row for uid, row in known.items() if _needs_step(row, items.get(uid))]
    for row in news:
        seen = items.get(str(row.account_uid))
        is_gone = seen is None or seen.deleted
        drift.missing += is_gone
        drift.different += not is_gone
    _make_due(session, news, steps, items, drift)


def _seen(user: SeenUser | None) -> tuple[int | None, bool | None]:
    return (None, None) if user is None or user.deleted else (user.id, user.enabled)


def _needs_step(row: VaultUser, user: SeenUser | None) -> bool:
    return plan.plan(vault_users.wanted(row), vault_users.presence_of(user, row)) is not plan.Verb.NOTHING


def _make_due(
    session: VaultSession, news: list[VaultUser], steps: list[VaultUser], items: dict[str, SeenUser], drift: Drift
) -> None:
    repairing = {row.pk for row in steps if row.due_at is None and row.state != Ending.STALLED}
    waking = repairing | {row.pk for row in news if row.due_at is None}
    drift.repaired += len(repairing)
    if session.only_looks or not (news or waking):
        return
    with session.lease.recording():
        lock_users([*waking, *(row.pk for row in news)])
        rows = [_news_row(row, items.get(str(row.account_uid))) for row in news]
        bulk.change(VaultUser, rows, changing=["remote_id", "seen_enabled"])
        wake(session, waking)


def _news_row(row: VaultUser, user: SeenUser | None) -> dict[str, Any]:
    remote_id, enabled = _seen(user)
    return {"id": row.pk, "remote_id": remote_id, "seen_enabled": enabled}


def _compare_accounts(
    session: VaultSession, rows: list[VaultUser], items: dict[str, LoginAccount], drift: Drift
) -> None:
    """Login accounts that are not as they were left are put again."""
    changed = [row for row in rows if row.account_id and _profile(items.get(str(row.account_uid))) != row.seen_profile]
    news = [row for row in changed if row.due_at is None]
    drift.different += len(news)
    drift.repaired += len(news)
    if session.only_looks or not changed:
        return
    with session.lease.recording():
        lock_users(row.pk for row in changed)
        VaultUser.objects.filter(pk__in=[row.pk for row in changed]).update(seen_profile="")
        wake(session, [row.pk for row in news])


def _profile(account: LoginAccount | None) -> str:
    return plan.profile(account) if account else ""


def _report(session: VaultSession, drift: Drift) -> None:
    now = session.lease.now()
    with session.lease.recording() as status:
        status.compared_at = now
        status.compare_due_at = now + EVERY + timedelta(seconds=session.vault.pk * 61 % SPREAD)
        status.drift_missing, status.drift_unexpected = drift.missing, drift.unexpected
        status.drift_different, status.drift_repaired = drift.different, drift.repaired
        status.save()
