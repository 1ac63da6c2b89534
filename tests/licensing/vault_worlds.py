"""A vault with two links, to which the events of ``tests.licensing.vault_events`` happen, and how it must then be."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from licensing.clients.agent import AgentRefused, each_group_member, each_vault_user
from licensing.clients.inprocess import InProcessVaultAgent
from licensing.models import LicenseGrant, VaultUser
from licensing.services import agents
from licensing.services.choices import choose_manual
from licensing.sweep import sweep_once
from licensing.vaultserver import admin
from licensing.vaultserver.core import VaultServer
from licensing.vaultserver.faults import FaultBoard
from provisioning.license_types import LicenseType
from provisioning.models import GroupLink, LoginAccount, Subscription, UserGroup, VaultUserGroup
from provisioning.services import links, vault_access
from tests.factories import (
    ACTOR,
    NOON,
    make_account,
    make_application,
    make_configuration,
    make_group,
    make_person,
    make_subscription,
    make_vault,
)
from tests.licensing.people import MINUTE, purchase
from tests.licensing.vault_oracle import Person, Target, check, each_login_account, photograph
from tests.licensing.vault_records import check_records

PROVISIONED, SOURCES = 4, 3
LATER, DAY = timedelta(hours=7), timedelta(hours=24)
MODES = {"replace": GroupLink.Mode.REPLACE, "merge": GroupLink.Mode.MERGE}


@dataclass
class Incarnation:
    """A source group as the provider made it once, and who is in it."""

    group: UserGroup
    members: set[str]
    deleted_at: datetime | None = None


@dataclass
class Slot:
    """A target, the last link into it, and from which source; ``ended`` is how that link was removed.

    ``follows``: the link was there when its source was created again. ``frozen``: whom it wanted when it was paused.
    """

    link: GroupLink
    source: int
    ended: str = ""
    follows: bool = False
    frozen: set[str] = field(default_factory=set)
    put_by_people: set[str] = field(default_factory=set)

    @property
    def row(self) -> GroupLink | None:
        return GroupLink.objects.select_related("target").filter(pk=self.link.pk).first()

    @property
    def is_live(self) -> bool:
        return not self.ended and self.row is not None

    @property
    def target(self) -> VaultUserGroup:
        """The target as it is recorded; as it last was, if it is recorded no more."""
        return VaultUserGroup.objects.filter(pk=self.link.target_id).first() or VaultUserGroup(name="Again")


class World:
    """Four provisioned people, a manual one, an application, three groups, two links into a vault of its own server."""

    def __init__(self, monkeypatch, modes):
        self.server = VaultServer(faults=FaultBoard(chance=Random(1).random))
        monkeypatch.setattr(agents, "agent_for", lambda _vault: InProcessVaultAgent(self.server))
        self.now, self.names = NOON, 0
        self.subscription = make_subscription()
        purchase(self.subscription, read_only=PROVISIONED + 2)
        self.configuration = make_configuration(self.subscription, default_license_type=LicenseType.READ_ONLY)
        self.vault = make_vault(self.subscription, agent_url="http://127.0.0.1:1")
        self.uids: list[str] = []
        self.kept: set[str] = set()
        self.is_restored = False
        accounts = [make_account(self.configuration, f"user{number}") for number in range(PROVISIONED)]
        for account in accounts:
            self.know(account)
        self.know_manual(make_person(self.subscription, "manual"))
        self.know_manual(make_application(self.subscription, "machine"))
        self.sources = [[self.source(number, accounts[number : number + 2])] for number in range(SOURCES)]
        self.slots: list[Slot] = []
        for number, mode in enumerate(modes):
            self.slots.append(Slot(self.make_link(number, f"Target {number}", MODES[mode]), number))
        vault_access.give_access(accounts=self.living()[-2:], vault=self.vault, actor=ACTOR, at=NOON)
        self.sweep()
        admin.add_user(self.server, self.guid, "guest1")
        for name in ("early", "late"):
            admin.back_up(self.server, name)

    @property
    def guid(self):
        return str(self.vault.guid)

    def close(self):
        self.server.close()

    def happen(self, event, first, second):
        """Let an event happen a minute after the one before; what somebody cannot do does nothing."""
        self.now += MINUTE
        try:
            event(self, first, second)
        except (AgentRefused, *links.Refusal):
            return

    def sweep(self):
        """Do what is due now, once and again, as two hints would."""
        for _ in range(2):
            sweep_once(self.now)

    def settle(self):
        """Let everything be compared in full and done; return the vault's revision."""
        self.now += LATER
        for _ in range(6):
            sweep_once(self.now)
        return self.server.get_vault(self.guid).revision

    def come_to_rest(self):
        """End all faults, let the workers work, and hold what came of it against the rules."""
        self.server.faults.clear()
        before, overridden, details = photograph(self.server, self.guid), self.overridden(), self.details()
        self.settle()
        revision = self.settle()
        after = photograph(self.server, self.guid)
        check(before, after, self.people(overridden, details), self.targets())
        check_records(self, after)
        assert self.settle() == revision

    # Who and what there is

    def new_name(self, kind):
        self.names += 1
        return f"{kind}{self.names}"

    def know(self, account):
        self.uids.append(str(account.uid))

    def know_manual(self, account):
        """An account that no provider knows, with a license type of its own."""
        self.know(account)
        choice = {"account_ids": [account.pk], "license_type": LicenseType.READ_ONLY}
        choose_manual(subscription=self.subscription, **choice, actor=ACTOR, at=self.now)

    def source(self, number, members):
        group = make_group(self.configuration, f"Source {number}", members=members, external_id=f"source-{number}")
        return Incarnation(group, {str(one.uid) for one in members})

    def make_link(self, source, name, mode):
        group = self.sources[source][-1].group
        options = {"vault": self.vault, "target_name": name, "create_target": True, "mode": mode}
        return links.link_group(group=group, **options, actor=ACTOR, at=self.now)

    def living(self):
        """Return the accounts that are not deleted, in the order in which they came."""
        return list(LoginAccount.objects.filter(subscription=self.subscription).order_by("pk"))

    def account(self, number):
        living = self.living()
        return living[number % len(living)]

    def uid(self, number):
        return self.uids[number % len(self.uids)]

    def slot(self, number):
        return self.slots[number % len(self.slots)]

    def logins(self):
        return list(each_login_account(self.server, self.guid))

    def members_now(self, slot):
        remote_id = slot.target.remote_id
        groups = {group.id for group in self.server.list_groups(self.guid)}
        if remote_id not in groups:
            return set()
        return {member.key for member in each_group_member(self.server, self.guid, remote_id)}

    def enabled_now(self):
        return {user.key for user in each_vault_user(self.server, self.guid) if user.enabled}

    # The facts for the oracle

    def able(self):
        """Return the uids of all who may sign in: the directory's facts, and who has a license."""
        grants = LicenseGrant.objects.filter(account__is_enabled=True, granted_type__gt=LicenseType.NONE)
        return {str(uid) for uid in grants.values_list("account__uid", flat=True)}

    def wanted_by(self, slot):
        """Return who is in the link's source, or was within the last 24 hours before it was deleted."""
        incarnations = self.sources[slot.source][-2 if slot.follows else -1 :]
        live = [one for one in incarnations if one.deleted_at is None or one.deleted_at > self.now - DAY]
        return {uid for one in live for uid in one.members}

    def overridden(self):
        """Return who shall be enabled although a person disabled it."""
        if Subscription.objects.get(pk=self.subscription.pk).overrides_vault_disabling:
            return set(self.uids)
        users = VaultUser.objects.filter(vault=self.vault, overrides_person=True)
        return {str(uid) for uid in users.values_list("account_uid", flat=True)}

    def details(self):
        return {str(one.uid): (one.full_name, one.email) for one in self.living()}

    def people(self, overridden, details):
        able, living = self.able(), {str(one.uid): one for one in self.living()}
        return [self.person(uid, living.get(uid), able, uid in overridden, details.get(uid)) for uid in self.uids]

    def person(self, uid, account, able, is_overridden, details):
        if account is None:
            return Person(uid)
        decided = vault_access.decision(account, self.vault)
        grant = LicenseGrant.objects.filter(account=account).first()
        return Person(
            uid,
            account.username,
            (account.full_name, account.email),
            details,
            is_enabled=account.is_enabled,
            license_type=grant.granted_type if grant else 0,
            is_manual=account.kind == LoginAccount.Kind.PERSON and account.configuration_id is None,
            may_sign_in=uid in able,
            access=decided.access,
            full_control=decided.full_control,
            is_overridden=is_overridden,
            is_kept=uid in self.kept,
            groups={number for number, slot in enumerate(self.slots) if uid in self.wanted_by(slot)},
            frozen={number for number, slot in enumerate(self.slots) if uid in slot.frozen},
        )

    def targets(self):
        return [self.target(number, slot) for number, slot in enumerate(self.slots)]

    def target(self, number, slot):
        row = slot.row
        is_paused = row is not None and row.paused_at is not None
        mode = str((row or slot.link).mode)
        is_deleted = self.sources[slot.source][-1].deleted_at is not None
        return Target(number, slot.target.remote_id, mode, is_paused, slot.ended, slot.put_by_people, is_deleted)
