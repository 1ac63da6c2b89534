"""A vault that is removed from the portal: all that is kept of it goes in bulk; in the vault nothing is changed."""

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from licensing.models import DriftFinding, DriftReport, LinkStatus, VaultGroupChange, VaultStatus, VaultUser
from licensing.models import VaultUserMembership as Membership
from licensing.reconcilers import licenses
from licensing.reconcilers import vaults as reconciler
from licensing.services import drift, leases
from provisioning.models import AuditEntry, GroupLink, Vault, VaultAccess, VaultUserGroup
from provisioning.services import accounts, vault_access, vaults
from tests.factories import ACTOR, NOON, make_account, make_group, make_link, make_vault
from tests.races import together

OF_LICENSING = (DriftFinding, DriftReport, LinkStatus, Membership, VaultGroupChange, VaultStatus, VaultUser)


@pytest.fixture
def ann(world):
    return make_account(world.configuration, "ann@contoso.example")


@pytest.fixture
def linked(world, ann):
    link = make_link(make_group(world.configuration, "Legal", members=[ann]), world.vault, "Lawyers")
    world.sweep()
    return link


def remove(vault):
    vaults.remove_vault(vault=vault, actor=ACTOR, at=NOON)


def furnish(world, ann):
    """One row of everything that is kept of a vault beside what a link makes."""
    report = drift.ask(vault=world.vault, actor=ACTOR, at=NOON)
    kind = DriftFinding.Kind.MISSING
    DriftFinding.objects.create(report=report, kind=kind, subject="Ann", detail="is missing", is_repaired=True)
    VaultAccess.objects.create(subscription=world.subscription, account=ann, vault=world.vault, changed_at=NOON)
    VaultGroupChange.objects.create(
        subscription=world.subscription,
        vault=world.vault,
        group=VaultUserGroup.objects.get(name="Lawyers"),
        key=str(ann.uid),
        is_member=False,
        asked_by="root",
        asked_at=NOON,
    )


def test_nothing_of_the_vault_stays_and_nothing_in_it_changes(world, linked, ann):
    furnish(world, ann)
    revision = world.server.get_vault(world.guid).revision

    remove(world.vault)
    world.sweep()

    for model in (*OF_LICENSING, Vault, VaultUserGroup, GroupLink, VaultAccess):
        assert not model.objects.exists(), model
    assert world.server.get_vault(world.guid).revision == revision
    entry = AuditEntry.objects.get(action="remove vault")
    assert (entry.target, entry.changes) == ("Contracts", {"links": [[str(linked)], None]})


def test_other_vaults_keep_everything(world, linked):
    other = make_vault(world.subscription, "Archive", agent_url=world.vault.agent_url)
    make_link(linked.group, other, "Lawyers")
    world.sweep()

    remove(world.vault)

    assert VaultUser.objects.get().vault == other
    assert Membership.objects.get().target.vault == other
    assert VaultStatus.objects.get().vault == other


def test_a_vault_is_removed_only_once(world):
    remove(world.vault)

    with pytest.raises(vaults.VaultGone):
        remove(world.vault)


def test_it_takes_as_many_statements_for_many_users_as_for_one(world, linked, ann):
    people = [make_account(world.configuration) for _ in range(8)]
    other = make_vault(world.subscription, "Archive", agent_url=world.vault.agent_url)
    make_link(make_group(world.configuration, "All", members=[ann, *people]), other, "Everybody")
    world.sweep()

    with CaptureQueriesContext(
        connection,
    ) as of_one:
        remove(world.vault)
    with CaptureQueriesContext(connection) as of_nine:
        remove(other)

    assert len(of_nine) == len(of_one)


def test_the_worker_that_is_at_it_records_nothing_more(world, linked):
    lease = leases.acquire(world.vault.pk, NOON)
    assert lease

    remove(world.vault)

    with pytest.raises(leases.LeaseLost), lease.recording():
        pass
    assert not VaultStatus.objects.exists()


def test_a_message_about_a_vault_that_is_gone_does_nothing(world):
    vault_id = world.vault.pk
    remove(world.vault)

    assert reconciler.reconcile(vault_id, now=NOON) is None


@pytest.mark.parametrize("turn", range(3))
def test_whoever_is_at_the_vault_when_it_is_removed_nothing_of_it_stays(transactional_db, world, ann, turn):
    group = make_group(world.configuration, "Legal", members=[ann])
    make_link(group, world.vault, "Lawyers")
    world.sweep()
    accounts.touch_accounts([ann.pk])
    others = [
        lambda: remove(world.vault),
        lambda: licenses.reconcile(world.subscription.pk, now=NOON),
        lambda: vault_access.give_access(accounts=[ann], vault=world.vault, actor=ACTOR, at=NOON),
        lambda: drift.ask(vault=world.vault, actor=ACTOR, at=NOON),
        lambda: reconciler.reconcile(world.vault.pk, now=NOON),
    ]

    ended = together(5, lambda number: others[number]())

    assert ended[0] is None, ended
    for error in ended[1:]:
        assert "deadlock" not in str(error)
        assert not isinstance(error, OperationalError), ended
    assert not Vault.objects.exists()
    for model in OF_LICENSING:
        assert not model.objects.exists(), (turn, model)
