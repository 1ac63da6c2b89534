"""A vault with two links, to which events happen: in the directory, by admins, behind the portal's back."""

from datetime import timedelta
from random import Random

from licensing.clients.agent import AgentRefused
from licensing.clients.inprocess import InProcessVaultAgent
from licensing.models import LicenseGrant
from licensing.reconcilers import licenses
from licensing.services import agents
from licensing.sweep import sweep_once
from licensing.vaultserver import admin
from licensing.vaultserver.core import VaultServer
from licensing.vaultserver.faults import FaultBoard, Faults
from provisioning.license_types import LicenseType
from provisioning.models import GroupLink, GroupMembership, LoginAccount
from provisioning.services import links, vault_access
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
from tests.licensing.people import MINUTE, change_account, change_members, purchase
from tests.licensing.vault_oracle import Person, Target, check, photograph

PEOPLE, STRANGERS = 4, ("guest1", "guest2")
LATER = timedelta(hours=7)
TROUBLE = Faults(error=0.15, reset=0.15, duplicate=0.15)
MODES = {"replace": GroupLink.Mode.REPLACE, "merge": GroupLink.Mode.MERGE}


class World:
    """Four people, two groups, a link from each into a vault of its own server, and a backup of that."""

    def __init__(self, monkeypatch, modes):
        self.random = Random(1)
        self.server = VaultServer(faults=FaultBoard(chance=self.random.random))
        monkeypatch.setattr(agents, "agent_for", lambda _vault: InProcessVaultAgent(self.server))
        self.now, self.renames = NOON, 0
        self.subscription = make_subscription()
        purchase(self.subscription, read_only=PEOPLE)
        configuration = make_configuration(self.subscription, default_license_type=LicenseType.READ_ONLY)
        self.vault = make_vault(self.subscription, agent_url="http://127.0.0.1:1")
        self.accounts = [make_account(configuration, f"user{number}") for number in range(PEOPLE)]
        self.groups = [
            make_group(configuration, f"Source {number}", members=self.accounts[number : number + 2])
            for number in range(2)
        ]
        self.links = [
            make_link(group, self.vault, f"Target {number}", mode=MODES[mode])
            for number, (group, mode) in enumerate(zip(self.groups, modes, strict=True))
        ]
        self.frozen: dict[int, set[str]] = {}
        self.put_by_people: list[set[str]] = [set(), set()]
        self.sweep()
        admin.add_user(self.server, self.guid, STRANGERS[0])
        admin.back_up(self.server, "early")

    @property
    def guid(self):
        return str(self.vault.guid)

    def close(self):
        self.server.close()

    def happen(self, kind, first, second):
        """Let an event happen a minute after the one before; what a person cannot do in M-Files Admin does nothing."""
        self.now += MINUTE
        try:
            getattr(self, kind)(first, second)
        except AgentRefused:
            return

    def sweep(self, *_):
        """Do what is due now, once and again, as two hints would."""
        for _ in range(2):
            sweep_once(self.now)

    def settle(self):
        """Let everything be compared in full and done; return the vault's revision."""
        self.now += LATER
        for _ in range(6):
            sweep_once(self.now)
        return self.server.get_vault(self.guid).revision

    # In the directory

    def account(self, number):
        return LoginAccount.objects.get(pk=self.accounts[number].pk)

    def enable(self, number, is_enabled):
        change_account(self.account(number), is_enabled=bool(is_enabled), at=self.now)

    def rename(self, number, _):
        self.renames += 1
        name = f"user{number}.{self.renames}"
        change_account(self.account(number), username=name, full_name=name.title(), at=self.now)

    def member(self, number, group):
        account, group = self.account(number), self.groups[group % 2]
        is_in = GroupMembership.objects.filter(account=account, group=group).exists()
        change_members(group, **{"remove" if is_in else "add": [account]}, at=self.now)

    def licenses(self, number, _):
        purchase(self.subscription, read_only=number + 1, at=self.now)

    # By admins

    def pause(self, number, _):
        """First licenses are looked at, so that what the link wanted is known to be what it was told."""
        link = self.link(number)
        if link.paused_at is None and link.ending_at is None:
            licenses.reconcile(self.subscription.pk, now=self.now)
            self.frozen[number % 2] = {uid for uid, _ in self.able() if uid in self.sources()[number % 2]}
            links.pause_link(link=link, actor=ACTOR, at=self.now)

    def resume(self, number, _):
        if (link := self.link(number)).paused_at is not None and link.ending_at is None:
            links.resume_link(link=link, actor=ACTOR, at=self.now)

    def mode(self, number, is_merging):
        if (link := self.link(number)).ending_at is None:
            links.set_mode(link=link, mode=MODES["merge" if is_merging else "replace"], actor=ACTOR, at=self.now)

    def access(self, number, deed):
        act = (vault_access.give_access, vault_access.take_access, vault_access.block)[deed % 3]
        act(accounts=[self.account(number)], vault=self.vault, actor=ACTOR, at=self.now)

    def full_control(self, number, wish):
        vault_access.set_full_control(
            accounts=[self.account(number)],
            vault=self.vault,
            full_control=(None, True, False)[wish % 3],
            actor=ACTOR,
            at=self.now,
        )

    # Behind the portal's back

    def switch_user(self, number, is_enabled):
        admin.change_user(self.server, self.guid, self.uid(number), enabled=bool(is_enabled))

    def delete_user(self, number, _):
        admin.delete_user(self.server, self.guid, self.uid(number))

    def give_roles(self, number, bits):
        admin.change_user(self.server, self.guid, self.uid(number), roles=2 | 1 << bits)

    def change_login(self, number, _):
        (user,) = self.server.get_vault_users(self.guid, [self.uid(number)]) or [None]
        if user and user.username:
            admin.change_login_account(self.server, user.username, email="other@example.com", full_name="Other")

    def remove_login(self, number, _):
        (user,) = self.server.get_vault_users(self.guid, [self.uid(number)]) or [None]
        if user and user.username:
            admin.delete_login_account(self.server, user.username)

    def put_member(self, number, target):
        self.change_target(target % 2, "add", self.uid(number))

    def drop_member(self, number, target):
        self.change_target(target % 2, "remove", self.uid(number))

    def put_stranger(self, number, target):
        user = admin.add_user(self.server, self.guid, STRANGERS[number % 2])
        self.change_target(target % 2, "add", user.key)

    def rename_target(self, number, _):
        self.renames += 1
        if remote_id := self.link(number).target.remote_id:
            admin.change_group(self.server, self.guid, remote_id, name=f"Renamed {self.renames}")

    def delete_target(self, number, _):
        """Not while its link is paused: then it would be made again, empty, only later."""
        link = self.link(number)
        if link.target.remote_id and link.paused_at is None:
            admin.delete_group(self.server, self.guid, link.target.remote_id)

    def restore(self, *_):
        """Put the server back; whom the backup has in a target, a person may have put there."""
        admin.restore(self.server, "early")
        for put in self.put_by_people:
            put.update(str(account.uid) for account in self.accounts)

    # On the wire

    def trouble(self, is_on, _):
        self.server.faults.put(TROUBLE if is_on % 2 else Faults())

    # What the world is

    def uid(self, number):
        return str(self.accounts[number].uid)

    def link(self, number):
        return GroupLink.objects.select_related("target").get(pk=self.links[number % 2].pk)

    def change_target(self, number, what, key):
        if remote_id := self.link(number).target.remote_id:
            admin.change_members(self.server, self.guid, remote_id, **{what: [key]})
            self.put_by_people[number].add(key)

    def able(self):
        """The uid of everybody who may sign in, with the account: the directory's facts."""
        grants = LicenseGrant.objects.select_related("account").filter(account__is_enabled=True)
        return [(str(grant.account.uid), grant.account) for grant in grants if grant.granted_type > LicenseType.NONE]

    def sources(self):
        """The uids in each source group."""
        rows = GroupMembership.objects.values_list("group_id", "account__uid")
        return [{str(uid) for pk, uid in rows if pk == group.pk} for group in self.groups]

    def people(self):
        able, sources = dict(self.able()), self.sources()
        return [self.person(LoginAccount.objects.get(pk=one.pk), able, sources) for one in self.accounts]

    def person(self, account, able, sources):
        uid, decided = str(account.uid), vault_access.decision(account, self.vault)
        return Person(
            uid,
            account.username,
            uid in able,
            decided.access,
            decided.full_control,
            {str(number) for number in range(2) if uid in sources[number]},
            {str(number) for number in range(2) if uid in self.frozen.get(number, ())},
        )

    def targets(self):
        links = [self.link(number) for number in range(2)]
        return [
            Target(
                str(number),
                link.target.remote_id,
                str(link.mode),
                link.paused_at is not None,
                put_by_people=self.put_by_people[number],
            )
            for number, link in enumerate(links)
        ]

    def come_to_rest(self):
        """End all faults, let the workers work, and hold what came of it against the rules."""
        self.server.faults.clear()
        before = photograph(self.server, self.guid)
        self.settle()
        revision = self.settle()
        check(before, photograph(self.server, self.guid), self.people(), self.targets())
        assert self.settle() == revision
