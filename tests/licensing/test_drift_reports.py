"""What a comparison found is told by name, kept, and right after whatever interrupted it."""

from datetime import timedelta

import pytest

from licensing import sweep
from licensing.clients.agent import AgentUnavailable, VaultRole
from licensing.models import DriftFinding, DriftReport, Ending, VaultStatus, VaultUser
from licensing.reconcilers import comparisons, vaults
from licensing.services import drift, due
from licensing.vaultserver import admin
from licensing.vaultserver.faults import Faults
from provisioning.actor import Actor
from provisioning.models import Subscription, VaultUserGroup
from tests.factories import NOON, make_account, make_group, make_link
from tests.licensing.people import change_members

ANN, BOB, EVE = "ann@contoso.example", "bob@contoso.example", "eve@contoso.example"
HOURS = timedelta(hours=7)
LATER = NOON + HOURS
PERSON = Actor(kind="person", name="Root", role="Subscription Admin")


@pytest.fixture
def people(world):
    return [make_account(world.configuration, ANN), make_account(world.configuration, BOB)]


@pytest.fixture
def linked(world, people):
    link = make_link(make_group(world.configuration, "Legal", members=people), world.vault, "Lawyers")
    world.sweep()
    return link


def target_id(world):
    return VaultUserGroup.objects.get(vault=world.vault, name="Lawyers").remote_id


def found(world):
    """Subject, detail and whether it is repaired, of the last report."""
    rows = DriftFinding.objects.filter(report=drift.latest(world.vault)).order_by("pk")
    return [(row.subject, row.detail, row.is_repaired) for row in rows]


def test_missing_and_deleted_users_are_named(world, linked):
    admin.delete_user(world.server, world.guid, ANN)

    world.sweep(LATER)

    assert found(world) == [
        (f"Ann ({ANN})", "was deleted in the vault by a person", True),
        (f"Lawyers: Ann ({ANN})", "is no member although a link wants it", True),
    ]


def test_a_vault_user_that_the_vault_lost_is_missing(world, linked, people):
    admin.back_up(world.server, "before")
    carl = make_account(world.configuration, "carl@contoso.example")
    change_members(linked.group, add=[carl])
    world.sweep()
    admin.restore(world.server, "before")

    world.sweep(LATER)

    assert ("Carl (carl@contoso.example)", "is missing in the vault", True) in found(world)


def test_users_that_the_portal_does_not_know_are_named_and_never_changed(world, linked):
    stranger = admin.add_user(world.server, world.guid, EVE)

    world.sweep(LATER)

    assert found(world) == [(EVE, "is in the vault, and no user of the portal", False)]
    assert world.server.get_vault_users(world.guid, [stranger.key]) == [stranger]


def test_who_was_disabled_and_enabled_by_a_person_is_told(world, linked, people):
    admin.change_user(world.server, world.guid, ANN, enabled=False)
    world.sweep(LATER)
    assert found(world) == [(f"Ann ({ANN})", "was disabled in the vault by a person", False)]

    change_members(linked.group, remove=[people[1]])
    world.sweep(LATER)
    admin.change_user(world.server, world.guid, BOB, enabled=True)
    world.sweep(LATER + HOURS)

    assert found(world) == [(f"Bob ({BOB})", "was enabled in the vault by a person", True)]


def test_where_the_vault_does_not_decide_who_was_disabled_there_is_enabled_again(world, linked):
    Subscription.objects.update(overrides_vault_disabling=True)
    admin.change_user(world.server, world.guid, ANN, enabled=False)

    world.sweep(LATER)

    assert found(world) == [(f"Ann ({ANN})", "was disabled in the vault by a person", True)]
    assert world.users() == {ANN: True, BOB: True}


def test_a_user_whose_login_account_is_gone_is_told_and_attached_again(world, linked, people):
    admin.delete_login_account(world.server, ANN)
    assert world.user(people[0]).username is None

    world.sweep(LATER)

    assert found(world) == [(f"Ann ({ANN})", "has lost its login account", True)]
    assert world.user(people[0]).username == ANN


def test_rights_that_an_admin_decided_about_are_put_right_and_others_recorded(world, linked, people):
    VaultUser.objects.filter(account=people[0]).update(wanted_full_control=False)
    many = int(VaultRole.FULL_CONTROL | VaultRole.SEE_ALL_OBJECTS) | 3078
    for username in (ANN, BOB):
        admin.change_user(world.server, world.guid, username, roles=many)

    world.sweep(LATER)

    assert found(world) == [(f"Ann ({ANN})", "has other admin rights in the vault than it shall have", True)]
    assert world.user(people[0]).roles == many & ~VaultRole.FULL_CONTROL
    assert VaultUser.objects.get(account=people[1]).seen_roles == many == world.user(people[1]).roles


def test_members_that_no_link_wants_are_named_groups_too(world, linked):
    stranger = admin.add_user(world.server, world.guid, EVE)
    group = admin.add_group(world.server, world.guid, "Guests")
    keys = [stranger.key, f"group:{group.id}"]
    admin.change_members(world.server, world.guid, target_id(world), add=keys)

    world.sweep(LATER)

    assert found(world) == [
        (EVE, "is in the vault, and no user of the portal", False),
        ("Lawyers: the group Guests", "is a member although no link wants it", True),
        (f"Lawyers: {EVE}", "is a member although no link wants it", True),
    ]
    assert world.members("Lawyers") == {ANN, BOB}


def test_a_report_of_the_schedule_names_nobody_who_asked(world, linked):
    report = drift.latest(world.vault)

    assert (report.asked_by, report.problem, report.position) == ("", "", {})
    assert report.started_at <= report.finished_at


def test_a_comparison_that_a_person_asks_for_comes_at_once_and_names_the_person(world, linked):
    soon = NOON + timedelta(minutes=1)
    drift.ask(vault=world.vault, actor=PERSON, at=soon)

    world.sweep(soon)

    report = drift.latest(world.vault)
    assert (report.asked_by, report.started_at) == ("Root", soon)
    assert drift.running(world.vault) is None


def test_a_thousand_findings_are_named_and_all_counted(world, linked, monkeypatch):
    monkeypatch.setattr(drift, "MOST_FINDINGS", 3)
    for number in range(5):
        admin.add_user(world.server, world.guid, f"stranger{number}")

    world.sweep(LATER)

    assert (drift.latest(world.vault).unexpected, len(found(world))) == (5, 3)


def test_thirty_reports_of_a_vault_are_kept_with_their_findings(world, linked, monkeypatch):
    monkeypatch.setattr(drift, "KEPT", 2)
    admin.add_user(world.server, world.guid, EVE)

    for number in range(1, 5):
        world.sweep(NOON + number * HOURS)

    kept = list(drift.reports(world.vault))
    assert [report.started_at >= NOON + 3 * HOURS for report in kept] == [True, True]
    assert DriftFinding.objects.count() == 2


def crash(*_):
    raise KeyboardInterrupt


def test_after_a_crash_the_same_report_goes_on_where_it_was(world, linked, monkeypatch):
    monkeypatch.setattr("licensing.reconcilers.sessions.PAGE", 1)
    admin.add_user(world.server, world.guid, EVE)
    admin.change_user(world.server, world.guid, BOB, enabled=False)
    with monkeypatch.context() as patch:
        patch.setattr("licensing.reconcilers.account_comparisons.compare", crash)
        with pytest.raises(KeyboardInterrupt):
            world.sweep(LATER)
    report = drift.running(world.vault)
    assert (report.users_count, report.accounts_count, report.total) == (3, 0, 6)
    assert drift.progress(report).percent == 50

    world.sweep(LATER + timedelta(minutes=1))

    ended = drift.latest(world.vault)
    assert (ended.pk, ended.users_count, ended.accounts_count, ended.members_count) == (report.pk, 3, 3, 2)
    assert (ended.unexpected, ended.different) == (1, 1)
    assert sorted(row[0] for row in found(world)) == sorted([EVE, f"Bob ({BOB})"])


def test_a_short_outage_does_not_end_a_comparison_and_a_long_one_does(world, linked, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("licensing.reconcilers.account_comparisons.compare", unreachable)
        world.sweep(LATER)
        running = drift.running(world.vault)
        assert (running.problem, world.status.state) == ("Nobody answers.", Ending.RETRYING)
        VaultStatus.objects.update(attempts=vaults.GIVE_UP_AFTER - 1, due_at=LATER)
        world.sweep(LATER)

    ended = drift.latest(world.vault)
    assert (ended.pk, ended.problem) == (running.pk, "Nobody answers.")
    world.sweep(LATER + HOURS)
    assert drift.latest(world.vault).problem == ""
    assert drift.reports(world.vault).count() == 3


def unreachable(*_):
    raise AgentUnavailable("Nobody answers.")


def test_nobody_waits_for_a_comparison_with_a_vault_that_cannot_be_reached(world, linked):
    world.server.faults.put(Faults(down=True))
    drift.ask(vault=world.vault, actor=PERSON, at=LATER)

    world.sweep(LATER)

    assert drift.running(world.vault) is None
    report = drift.latest(world.vault)
    assert (report.asked_by, report.problem) == ("Root", world.status.reason)
    assert drift.ask(vault=world.vault, actor=PERSON, at=LATER)


def test_nobody_waits_for_a_comparison_while_user_synchronization_is_on(world, linked):
    admin.change_vault(world.server, world.guid, user_synchronization=True)
    drift.ask(vault=world.vault, actor=PERSON, at=LATER)

    world.sweep(LATER)

    assert drift.latest(world.vault).problem.startswith("User synchronization is on in vault “Contracts”")
    admin.change_vault(world.server, world.guid, user_synchronization=False)
    world.sweep(LATER + timedelta(minutes=1, seconds=1))
    assert drift.latest(world.vault).problem == ""


def test_a_check_finds_differences_and_leaves_no_trace(world, linked, people):
    admin.delete_user(world.server, world.guid, ANN)
    admin.change_login_account(world.server, BOB, full_name="Robert")
    stranger = admin.add_user(world.server, world.guid, EVE)
    admin.change_members(world.server, world.guid, target_id(world), add=[stranger.key])
    revision = world.server.get_vault(world.guid).revision
    before = traces()

    result = sweep.check(LATER)

    assert (result.differences, result.problems) == (4, [])
    assert traces() == before
    assert world.server.get_vault(world.guid).revision == revision


def traces():
    return [list(model.objects.order_by("pk").values()) for model in (DriftReport, DriftFinding, VaultUser)]


def test_comparisons_of_a_vault_come_every_six_hours_and_spread(world, linked):
    due_at = world.status.compare_due_at

    assert timedelta(hours=6) == comparisons.EVERY
    assert due_at - world.status.compared_at == timedelta(hours=6, seconds=world.vault.pk * 61 % 1800)
    assert not due.due_vaults(NOON + timedelta(minutes=4)).exists()
