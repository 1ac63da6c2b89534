"""A vault's own page: how it is kept in step, and what comparisons found."""

import csv
import io
from datetime import timedelta

import pytest

from licensing.models import DriftFinding, DriftReport, VaultStatus
from licensing.services import drift
from licensing.vaultserver.faults import Faults
from licensing.views import vaults
from provisioning.models import AuditEntry, Vault
from provisioning.services.vaults import remove_vault
from tests.factories import ACTOR, NOON, make_account, make_group, make_link, make_vault
from tests.licensing.browsing import cost, text
from tests.licensing.people import purchase


def test_a_vaults_page_costs_the_same_with_many_users_and_reports(world, link, client, url):
    world.sweep()
    few = cost(client, url)
    purchase(world.subscription, read_only=50)
    more = [make_account(world.configuration) for _ in range(20)]
    make_link(make_group(world.configuration, members=more), world.vault)
    world.sweep(NOON + timedelta(minutes=10))
    drift.ask(vault=world.vault, actor=ACTOR, at=NOON)

    assert cost(client, url) <= few


def test_the_page_says_before_any_worker_came_that_nothing_is_known(client, url):
    page = text(client.get(url))

    assert "Not yet looked at" in page
    assert "Not compared yet." in page


def test_the_page_counts_users_and_sessions(world, link, client, url):
    world.sweep()
    VaultStatus.objects.update(named_sessions=3, concurrent_sessions=7, read_only_sessions=1200)

    page = text(client.get(url))

    assert f'<a href="{url}users/">2</a>' in page
    for line in ("Named sessions</dt><dd>3", "Concurrent sessions</dt><dd>7", "Read only sessions</dt><dd>1,200"):
        assert line in page
    assert '<span class="badge good">Ready</span>' in page


def test_the_page_says_why_and_when_it_is_tried_again(world, link, client, url):
    world.server.faults.general = Faults(down=True)
    world.sweep()

    page = text(client.get(url))

    assert "The vault server is switched off. It is tried again by itself, next at" in page
    assert f'datetime="{world.status.due_at.isoformat()}"' in page


def test_the_lists_count_enabled_users(world, link, client):
    world.sweep()

    assert 'data-label="Users enabled"><span class="badge quiet">2</span>' in text(
        client.get(f"/s/{world.subscription.number}/vaults/")
    )


def test_a_vault_that_is_removed_meanwhile_is_not_compared_but_said_to_be_gone(world, client, url, monkeypatch):
    def found(request, pk):
        vault = find(request, pk)
        remove_vault(vault=Vault.objects.get(pk=pk), actor=ACTOR, at=NOON)
        return vault

    find = vaults.found_vault
    monkeypatch.setattr(vaults, "found_vault", found)
    answer = client.post(f"{url}compare/", follow=True)

    assert answer.redirect_chain == [(f"/s/{world.subscription.number}/vaults/", 303)]
    assert "The vault is not here any more." in text(answer)


def test_compare_now_is_asked_once_and_its_progress_is_renewed(world, client, url):
    answer = client.post(f"{url}compare/")

    assert (answer.status_code, answer["Location"]) == (303, f"{url}#comparison")
    report = drift.running(world.vault)
    assert report.asked_by.startswith("admin")
    page = text(client.get(url))
    part = f"/licensing/{world.subscription.number}/fragments/vault-comparison/{world.vault.pk}/"
    assert f'hx-get="{part}" hx-trigger="every 2s"' in page
    assert "Reload this page" in page
    assert "Compare now" not in page

    again = client.post(f"{url}compare/", follow=True)
    assert "is being compared already" in text(again)
    assert DriftReport.objects.count() == 1

    DriftReport.objects.update(total=4000, users_count=900, members_count=100)
    part = text(client.get(part))
    assert "1,000 of about 4,000 users and members looked at." in part
    assert 'value="25"' in part


def test_the_progress_ends_in_what_was_found(world, link, client, url):
    world.sweep()
    client.post(f"{url}compare/")
    world.sweep(NOON + timedelta(minutes=10))
    DriftReport.objects.filter(finished_at=None).update(finished_at=NOON)
    DriftReport.objects.update(missing=2, unexpected=3, different=4, repaired=1234)

    part = text(client.get(f"/licensing/{world.subscription.number}/fragments/vault-comparison/{world.vault.pk}/"))

    assert "hx-get" not in part
    for line in ("Missing</dt><dd>2", "Unexpected</dt><dd>3", "Different</dt><dd>4", "Repaired</dt><dd>1,234"):
        assert line in part


@pytest.fixture
def report(world):
    made = DriftReport.objects.create(
        subscription=world.subscription, vault=world.vault, started_at=NOON, finished_at=NOON, missing=51, different=1
    )
    rows = [("missing", f"user{number:02}@contoso.example", "No such user", True) for number in range(51)]
    rows.append(("different", "=cmd()", "<b>Full name</b>", False))
    DriftFinding.objects.bulk_create(
        DriftFinding(report=made, kind=kind, subject=subject, detail=detail, is_repaired=repaired)
        for kind, subject, detail, repaired in rows
    )
    return made


def test_the_reports_are_listed_with_who_asked_and_how_they_ended(world, report, client, url):
    DriftReport.objects.create(
        subscription=world.subscription,
        vault=world.vault,
        asked_by="root@contoso.example",
        started_at=NOON,
        finished_at=NOON,
        problem="The vault server is switched off.",
    )

    page = text(client.get(f"{url}drift/"))

    assert "Every six hours" in page
    assert "root@<wbr>contoso.example" in page
    assert '<span class="badge problem">Broke off</span><span class="under">The vault server is switched off.' in page
    assert page.count("<tr>") == 3


def test_findings_come_page_by_page_and_by_kind(report, client, url):
    page = text(client.get(f"{url}drift/{report.pk}/"))
    assert "user00@<wbr>" in page
    assert "user50@<wbr>" not in page
    assert "Next page" in page

    page = text(client.get(f"{url}drift/{report.pk}/?kind=different"))
    assert "&lt;b&gt;Full name&lt;/b&gt;" in page
    assert "user00" not in page
    assert "None of this kind" in text(client.get(f"{url}drift/{report.pk}/?kind=unexpected"))


def test_findings_are_sent_as_a_file_that_no_spreadsheet_runs(report, client, url):
    answer = client.get(f"{url}drift/{report.pk}/report.csv")

    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))

    assert rows[0] == ["Kind", "What", "Detail", "Repaired"]
    assert rows[1] == ["Missing", "user00@contoso.example", "No such user", "Yes"]
    assert rows[-1] == ["Different", "'=cmd()", "<b>Full name</b>", "No"]
    assert AuditEntry.objects.latest("id").changes["vault"] == [None, "Contracts"]


def test_reports_of_another_vault_are_not_there(world, report, client):
    other = make_vault(world.subscription, "Other")

    for path in ("", "report.csv"):
        assert (
            client.get(f"/s/{world.subscription.number}/vaults/{other.pk}/drift/{report.pk}/{path}").status_code == 404
        )
