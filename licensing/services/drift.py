"""Reports of full comparisons of a vault with the records: asked for, written while one runs, and read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from licensing.models import DriftFinding, DriftReport, VaultStatus, VaultUser, VaultUserMembership
from licensing.plans.drift import Drift
from licensing.services import due
from provisioning.actor import Actor
from provisioning.models import Vault
from provisioning.queries.pages import Page, fetch_few
from provisioning.services import audit
from provisioning.services.notices import announce
from provisioning.services.vaults import VaultGone

KEPT: Final = 30
"""How many reports of a vault are kept."""
MOST_FINDINGS: Final = 1_000
"""How many findings a report names; it counts all."""


class CompareRunning(Exception):
    """One comparison at a time."""

    def __init__(self, vault: Vault) -> None:
        super().__init__(f"“{vault.name}” is being compared already. Wait until that is done.")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a comparison is: ``done`` looks of about ``total``."""

    done: int
    total: int

    @property
    def percent(self) -> int:
        return min(99, self.done * 100 // max(self.total, 1))


@transaction.atomic
def ask(*, vault: Vault, actor: Actor, at: datetime) -> DriftReport:
    """Have the vault compared in full now, also one that could not be reached and waits.

    Raises ``CompareRunning`` and ``VaultGone``.
    """
    due.know_vaults(vault.subscription_id)
    # Before its status, as who removes a vault locks them.
    if Vault.objects.select_for_update().filter(pk=vault.pk).first() is None:
        raise VaultGone
    status = VaultStatus.objects.select_for_update().get(vault=vault)
    try:
        with transaction.atomic():
            report = DriftReport.objects.create(
                subscription_id=vault.subscription_id, vault=vault, asked_by=actor.name, started_at=at
            )
    except IntegrityError as error:
        raise CompareRunning(vault) from error
    status.compare_due_at = status.due_at = at
    status.save(update_fields=["compare_due_at", "due_at"])
    audit.record(subscription_id=vault.subscription_id, actor=actor, action="compare vault", target=vault.name, at=at)
    announce(vault.subscription_id)
    return report


def reports(vault: Vault) -> QuerySet[DriftReport]:
    """Return the vault's reports, the newest first; at most 30 and the one that runs."""
    return DriftReport.objects.filter(vault=vault).order_by("-started_at", "-pk")


def running(vault: Vault) -> DriftReport | None:
    """Return the report of the comparison that runs, or that was asked for and begins soon."""
    return reports(vault).filter(finished_at__isnull=True).first()


def latest(vault: Vault) -> DriftReport | None:
    """Return the report of the last comparison that ended, well or not."""
    return reports(vault).filter(finished_at__isnull=False).first()


def findings(report: DriftReport, *, cursor: str = "", kind: str = "") -> Page[DriftFinding]:
    """Return a page of what the comparison found, in the order it did, of one kind or (empty) all."""
    rows = DriftFinding.objects.filter(report=report)
    return fetch_few(rows.filter(kind=kind) if kind else rows, keys=("id",), cursor=cursor)


def progress(report: DriftReport) -> Progress:
    """Return how far the comparison is."""
    return Progress(report.users_count + report.accounts_count + report.members_count, report.total)


def begin(vault: Vault, at: datetime) -> DriftReport:
    """Return the report of the vault's comparison: the one that a person asked for, an interrupted one, or a new one.

    Only the holder of the vault's lease does this; every user is looked at twice, as a vault user and as an account.
    """
    users = VaultUser.objects.filter(vault=vault).count()
    members = VaultUserMembership.objects.filter(target__vault=vault).count()
    known = running(vault)
    report = known or DriftReport(subscription_id=vault.subscription_id, vault=vault, started_at=at)
    report.total, report.problem = 2 * users + members, ""
    report.save()
    return report


def room(report: DriftReport) -> int:
    """Return how many findings the report can still name."""
    return max(0, MOST_FINDINGS - report.missing - report.unexpected - report.different)


def write(report: DriftReport, found: Drift) -> None:
    """Write another part of the comparison, within the transaction of its results."""
    for name in _COUNTS:
        setattr(report, name, getattr(report, name) + getattr(found, name))
    report.save(update_fields=[*_COUNTS, "users_count", "accounts_count", "members_count", "position"])
    rows = [
        DriftFinding(report=report, kind=one.kind, subject=one.subject, detail=one.detail, is_repaired=one.is_repaired)
        for one in found.findings
    ]
    DriftFinding.objects.bulk_create(rows)


def finish(report: DriftReport, at: datetime) -> None:
    """End the report, and forget the vault's oldest ones."""
    report.finished_at, report.position = at, {}
    report.save(update_fields=["finished_at", "position"])
    _prune(report.vault)


def interrupt(vault: Vault, problem: str, at: datetime, *, is_over: bool) -> None:
    """Write why the comparison that runs, if one does, cannot go on now; ``is_over``: it begins anew another time.

    One that has not begun is over too: nobody shall wait for it, and be told that it runs.
    """
    report = running(vault)
    if report is None:
        return
    report.problem = problem
    report.save(update_fields=["problem"])
    if is_over or not report.position:
        finish(report, at)


def _prune(vault: Vault) -> None:
    old = list(reports(vault).values_list("pk", flat=True)[KEPT:])
    DriftFinding.objects.filter(report_id__in=old).delete()
    DriftReport.objects.filter(pk__in=old).delete()


_COUNTS: Final = ("missing", "unexpected", "different", "repaired")
