"""Workers, admins and the directory at one vault at the same moment; and what happens without each of the guards."""

import threading

import pytest
from django.db import IntegrityError
from django.db.models import QuerySet

from licensing.clients.agent import each_vault_user
from licensing.clients.inprocess import InProcessVaultAgent
from licensing.models import VaultGroupChange, VaultStatus, VaultUser
from licensing.reconcilers import vaults
from licensing.services import agents, bulk, due, leases, vault_groups
from licensing.services.leases import Lease
from licensing.vaultserver import admin
from licensing.vaultserver.core import VaultServer
from provisioning.models import GroupLink, VaultUserGroup
from provisioning.services import links
from tests.factories import (
    ACTOR,
    NOON,
    make_account,
    make_configuration,
    make_group,
    make_link,
    make_subscription,
    make_vault,
)
from tests.licensing.people import MINUTE, READ_ONLY, change_account, disable, purchase, reconcile
from tests.races import together

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
NOW, LATER = NOON + MINUTE, NOON + 2 * MINUTE


class Watched(InProcessVaultAgent):
    """Notes which worker changes login accounts or members, and lets something happen before it has its answer."""

    def __init__(self, server):
        super().__init__(server)
        self.workers, self.meanwhile = [], None

    def put_login_accounts(self, vault, accounts, **options):
        return self._answer_late(super().put_login_accounts(vault, accounts, **options))

    def change_group_members(self, vault, group_id, **options):
        return self._answer_late(super().change_group_members(vault, group_id, **options))

    def _answer_late(self, answer):
        self.workers.append(threading.get_ident())
        self._wait()
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        return answer

    def _wait(self):
        """Wait for nobody: the vault answers at once."""


class Place:
    """A vault on a server of its own, and three people whom a link wants there; nobody has been there yet."""

    def __init__(self, server):
        self.server, self.agent = server, Watched(server)
        self.subscription = make_subscription()
        purchase(self.subscription, read_only=3)
        configuration = make_configuration(self.subscription, default_license_type=READ_ONLY)
        self.people = [make_account(configuration) for _ in range(3)]
        self.vault = make_vault(self.subscription, agent_url="http://127.0.0.1:1")
        make_link(make_group(configuration, members=self.people), self.vault, "Lawyers")
        due.know_vaults()
        reconcile(self.subscription)

    @property
    def guid(self):
        return str(self.vault.guid)

    def work(self, now=NOON):
        return vaults.reconcile(self.vault.pk, now=now)

    def enabled(self):
        """Who is enabled in the vault, by key."""
        return {user.key: user.enabled for user in each_vault_user(self.server, self.guid)}

    def is_enabled(self, account):
        """How the account's vault user is, and how it is recorded to be."""
        return self.enabled()[str(account.uid)], VaultUser.objects.get(account=account).seen_enabled


@pytest.fixture
def place(monkeypatch):
    server = VaultServer()
    made = Place(server)
    monkeypatch.setattr(agents, "agent_for", lambda _vault: made.agent)
    yield made
    server.close()


def elsewhere(deed):
    """Do it in a thread and with a connection of its own."""
    (outcome,) = together(1, lambda _: deed())
    assert not isinstance(outcome, Exception), outcome
    return outcome


# Two workers at once


def meet(monkeypatch, acquire):
    """Let two workers try to take the lease before either of them goes on."""
    both_have_tried = threading.Barrier(2)

    def together_with_the_other(*arguments):
        lease = acquire(*arguments)
        both_have_tried.wait(timeout=30)
        return lease

    monkeypatch.setattr(leases, "acquire", together_with_the_other)


def take_anyway(vault_id, now):
    """Take the lease whoever has it: the statement of ``leases.acquire`` without its condition."""
    lease = Lease(vault_id, now)
    VaultStatus.objects.filter(vault_id=vault_id).update(lease_token=lease.token, lease_until=lease.until)
    return lease


def without_token(monkeypatch):
    monkeypatch.setattr(Lease, "_row", lambda lease: VaultStatus.objects.filter(vault_id=lease.vault_id))


def test_of_two_workers_at_one_vault_one_works(place, monkeypatch):
    meet(monkeypatch, leases.acquire)

    outcomes = together(2, lambda _: place.work())

    (tally,) = (one for one in outcomes if one is not None)
    assert tally.created == 3
    assert len(set(place.agent.workers)) == 1
    assert place.enabled() == {str(one.uid): True for one in place.people}


def test_control_if_the_lease_is_taken_anyway_both_tell_the_vault_and_only_the_token_keeps_one_from_recording(
    place, monkeypatch
):
    place.work()
    change_account(place.people[0], full_name="Ann Smith", at=NOW)
    reconcile(place.subscription, now=NOW)
    place.agent.workers.clear()
    both_are_at_it = threading.Barrier(2)
    monkeypatch.setattr(place.agent, "_wait", lambda: both_are_at_it.wait(timeout=30))
    meet(monkeypatch, take_anyway)

    outcomes = together(2, lambda _: place.work(NOW))

    assert len(set(place.agent.workers)) == 2
    assert outcomes.count(None) == 1
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]


# A worker whose lease ran out


def take_over(place):
    """A worker waits so long for an answer that another takes the vault over, when somebody has been disabled."""
    place.work()
    ann = place.people[0]
    change_account(ann, full_name="Ann Smith", at=NOW)
    reconcile(place.subscription, now=NOW)

    def other():
        disable(ann, at=LATER)
        reconcile(place.subscription, now=LATER)
        assert place.work(LATER) is not None

    place.agent.meanwhile = lambda: elsewhere(other)
    return ann, place.work(NOW)


def test_a_worker_that_was_taken_over_records_nothing(place):
    ann, tally = take_over(place)

    assert tally is None
    assert place.is_enabled(ann) == (False, False)


def test_a_worker_that_was_taken_over_leaves_the_lease_to_the_other(place, monkeypatch):
    monkeypatch.setattr(vaults, "_work", lambda _session: elsewhere(lambda: leases.acquire(place.vault.pk, LATER)))

    place.work(NOW)

    assert VaultStatus.objects.get().lease_until == LATER + leases.LENGTH


def test_control_without_the_token_it_writes_over_what_the_other_recorded(place, monkeypatch):
    without_token(monkeypatch)

    ann, _ = take_over(place)

    assert place.is_enabled(ann) == (False, True)


# Wishes that change while the vault is told of the ones before


def wish_again(place):
    """Somebody is disabled while the vault is told that she has another name."""
    place.work()
    ann = place.people[0]
    change_account(ann, full_name="Ann Smith", at=NOW)
    reconcile(place.subscription, now=NOW)

    def directory():
        disable(ann, at=LATER)
        reconcile(place.subscription, now=LATER)

    place.agent.meanwhile = lambda: elsewhere(directory)
    place.work(NOW)
    return ann, VaultUser.objects.get(account=ann).due_at


def without_same(monkeypatch):
    """Record how work ended whatever was changed meanwhile."""
    change = bulk.change

    def whatever(model, rows, *, changing, while_same=(), **options):
        return change(model, rows, changing=[*changing, *while_same], **(options | {"same": ""}))

    monkeypatch.setattr(bulk, "change", whatever)


def test_who_is_changed_while_the_vault_is_told_stays_due_and_ends_as_wanted(place):
    ann, due_at = wish_again(place)
    assert (due_at, *place.is_enabled(ann)) == (LATER, True, True)

    place.work(LATER)

    assert place.is_enabled(ann) == (False, False)


def test_control_without_the_generation_the_newer_wish_is_lost(place, monkeypatch):
    without_same(monkeypatch)
    ann, due_at = wish_again(place)
    assert due_at is None

    place.work(LATER)

    assert place.is_enabled(ann) == (True, True)


def change_mind(place):
    """Somebody asks for a member of a vault user group, and asks otherwise before the vault has answered."""
    place.work()
    key = str(place.people[0].uid)
    number = admin.add_group(place.server, place.guid, "Board").id
    VaultUserGroup.objects.create(vault=place.vault, name="Board", name_key="board", remote_id=number)
    ask(key, is_member=True, at=NOW)
    place.agent.meanwhile = lambda: elsewhere(lambda: ask(key, is_member=False, at=LATER))
    place.work(NOW)
    place.work(LATER)
    return place.server.list_group_members(place.guid, number).items


def ask(key, *, is_member, at):
    group = VaultUserGroup.objects.get(name="Board")
    vault_groups.change_members(group=group, keys=[key], is_member=is_member, actor=ACTOR, at=at)


def test_a_wish_about_a_member_that_changes_while_the_vault_is_told_is_carried_out_afterwards(place):
    assert not change_mind(place)
    assert not VaultGroupChange.objects.exists()


def test_control_without_the_time_of_asking_the_newer_wish_about_a_member_is_lost(place, monkeypatch):
    remove = bulk.remove
    monkeypatch.setattr(bulk, "remove", lambda *given, key, **_: remove(*given, key=key, same=[]))

    assert len(change_mind(place)) == 1


# Two links that take one target


def link_both(place, monkeypatch=None):
    """Two groups are linked to one target; with ``monkeypatch`` both look for the target before either takes it."""
    sources = [make_group(place.people[0].configuration) for _ in range(2)]
    VaultUserGroup.objects.create(vault=place.vault, name="Board", name_key="board")
    if monkeypatch:
        without_the_vaults_lock(monkeypatch)
    outcomes = together(2, lambda number: make_link(sources[number], place.vault, "Board"))
    (refusal,) = (one for one in outcomes if isinstance(one, Exception))
    assert GroupLink.objects.filter(target__name="Board").get() in outcomes
    return refusal


def without_the_vaults_lock(monkeypatch):
    both_have_looked, look = threading.Barrier(2), links.free_target

    def look_together(*arguments, **options):
        target = look(*arguments, **options)
        both_have_looked.wait(timeout=30)
        return target

    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows.all())
    monkeypatch.setattr(links, "free_target", look_together)


def test_of_two_links_that_take_one_target_one_is_made_and_the_other_told_why(place):
    refusal = link_both(place)

    assert isinstance(refusal, links.TargetLinked)
    assert "“Board” gets its members from" in str(refusal)


def test_control_without_the_vaults_lock_the_other_is_told_by_the_database(place, monkeypatch):
    assert isinstance(link_both(place, monkeypatch), IntegrityError)
