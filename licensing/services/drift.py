"""Reports of full comparisons of a vault with the records: asked for, written while one runs, and read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from licensing.models import DriftFinding, DriftReport, VaultStatus
from licensing.services import due
from provisioning.actor import Actor
from provisioning.models import Vault
from provisioning.queries.pages import Page, fetch_few
from provisioning.services import audit
from provisioning.services.notices import announce

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
    """Have the vault compared in full now, also one that could not be reached and waits. Raises ``CompareRunning``."""
    due.know_vaults()
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
    return Progress(report.users_count + report.members_count, report.total)
