"""A comparison is asked for by a person, once at a time, and its reports are read newest first."""

from datetime import timedelta

import pytest

from licensing.models import DriftFinding, DriftReport, VaultStatus
from licensing.services import drift
from provisioning.actor import Actor
from provisioning.models import AuditEntry
from tests.factories import NOON

PERSON = Actor(kind="person", name="Root", role="Subscription Admin")
LATER = NOON + timedelta(minutes=1)


def make_report(world, *, at, finished_at=None):
    return DriftReport.objects.create(
        subscription=world.subscription, vault=world.vault, started_at=at, finished_at=finished_at
    )


def test_who_asks_is_written_down_and_the_vault_is_due(world):
    world.sweep()

    report = drift.ask(vault=world.vault, actor=PERSON, at=LATER)

    assert (report.asked_by, report.started_at, report.finished_at) == ("Root", LATER, None)
    status = VaultStatus.objects.get(vault=world.vault)
    assert (status.compare_due_at, status.due_at) == (LATER, LATER)
    entry = AuditEntry.objects.get(action="compare vault")
    assert (entry.target, entry.actor_name) == ("Contracts", "Root")


def test_a_second_comparison_is_refused_while_one_runs(world):
    drift.ask(vault=world.vault, actor=PERSON, at=NOON)

    with pytest.raises(drift.CompareRunning, match="“Contracts” is being compared already"):
        drift.ask(vault=world.vault, actor=PERSON, at=LATER)

    assert AuditEntry.objects.filter(action="compare vault").count() == 1


def test_the_latest_is_the_last_that_ended(world):
    DriftReport.objects.all().delete()
    old = make_report(world, at=NOON - timedelta(hours=1), finished_at=NOON)
    new = make_report(world, at=NOON, finished_at=NOON)
    runs = make_report(world, at=LATER)

    assert list(drift.reports(world.vault)) == [runs, new, old]
    assert (drift.latest(world.vault), drift.running(world.vault)) == (new, runs)


def test_findings_are_paged_and_of_one_kind(world):
    report = make_report(world, at=NOON)
    missing, different = DriftFinding.Kind.MISSING, DriftFinding.Kind.DIFFERENT
    rows = [
        DriftFinding(report=report, kind=missing, subject=str(number), detail="", is_repaired=True)
        for number in range(51)
    ]
    DriftFinding.objects.bulk_create(rows)
    DriftFinding.objects.create(report=report, kind=different, subject="Ann", detail="", is_repaired=False)

    first = drift.findings(report)
    second = drift.findings(report, cursor=first.next)

    assert [row.subject for row in first.rows] == [str(number) for number in range(50)]
    assert [row.subject for row in second.rows] == ["50", "Ann"]
    assert [row.subject for row in drift.findings(report, kind="different").rows] == ["Ann"]


@pytest.mark.parametrize(("users", "members", "total", "percent"), [(0, 0, 0, 0), (5, 3, 16, 50), (20, 0, 10, 99)])
def test_progress_is_a_share_of_the_whole(users, members, total, percent):
    report = DriftReport(users_count=users, members_count=members, total=total)

    assert drift.progress(report).percent == percent
