"""The scenes of ``test_broken_off``: what happens in each, and what is compared when their work is over."""

from dataclasses import replace

from licensing.clients.agent import each_group_member, each_vault_user
from licensing.clients.inprocess import InProcessVaultAgent
from licensing.models import LinkStatus, VaultGroupChange, VaultStatus, VaultUser, VaultUserMembership
from licensing.services import agents, vault_groups
from licensing.sweep import sweep_once
from licensing.vaultserver import admin
from licensing.vaultserver.core import VaultServer
from provisioning.models import GroupLink, LoginAccount, VaultUserGroup
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
from tests.licensing.people import MINUTE, READ_ONLY, change_account, change_members, disable, purchase

PEOPLE = 4
NOW = NOON + MINUTE
DEED = {"actor": ACTOR, "at": NOW}
MODES = (GroupLink.Mode.REPLACE, GroupLink.Mode.MERGE)


class Stage:
    """Four people, of whom each of two groups has two, and a link from each into a vault: one replaces, one merges."""

    def __init__(self, monkeypatch):
        self.server = VaultServer()
        monkeypatch.setattr(agents, "agent_for", lambda _vault: InProcessVaultAgent(self.server))
        self.subscription = make_subscription()
        purchase(self.subscription, read_only=PEOPLE)
        self.configuration = make_configuration(self.subscription, default_license_type=READ_ONLY)
        self.vault = make_vault(self.subscription, agent_url="http://127.0.0.1:1")
        made = [make_account(self.configuration, f"user{number}") for number in range(PEOPLE)]
        self.ids, self.keys = [one.pk for one in made], [str(one.uid) for one in made]
        self.sources = [make_group(self.configuration, members=made[number : number + 2]) for number in range(2)]
        self.links = [
            make_link(group, self.vault, f"Target {mode}", mode=mode)
            for group, mode in zip(self.sources, MODES, strict=True)
        ]
        self.sweep(NOON)
        self.guest = self.admin(admin.add_user, "guest").key
        admin.back_up(self.server, "early")

    @property
    def guid(self):
        return str(self.vault.guid)

    def sweep(self, now=NOW):
        for _ in range(2):
            sweep_once(now)

    def admin(self, deed, *arguments, **options):
        """Let a person do something in M-Files Admin."""
        return deed(self.server, self.guid, *arguments, **options)

    def account(self, number):
        return LoginAccount.objects.get(pk=self.ids[number])

    def target(self, number):
        return VaultUserGroup.objects.get(link=self.links[number]).remote_id

    def decide(self, deed, number, **options):
        """Let an admin decide about an account in the vault."""
        deed(accounts=[self.account(number)], vault=self.vault, **DEED, **options)

    def compare(self):
        """Have the vault compared in full."""
        VaultStatus.objects.update(compare_due_at=NOW)


def first_link(mode):
    """A link into a group that people made in the vault: a guest and two of our people are in it, one unwanted."""

    def happen(stage):
        group = stage.admin(admin.add_group, "Board")
        stage.admin(admin.change_members, group.id, add=[stage.guest, stage.keys[0], stage.keys[2]])
        source = make_group(stage.configuration, members=[stage.account(2), stage.account(3)], at=NOW)
        make_link(source, stage.vault, "Board", mode=mode, at=NOW)

    return happen


def leave(stage):
    change_members(stage.sources[0], remove=[stage.account(1)], at=NOW)
    change_members(stage.sources[1], remove=[stage.account(2)], at=NOW)


def rename_and_disable(stage):
    change_account(stage.account(0), username="renamed", full_name="New Name", at=NOW)
    disable(stage.account(2), at=NOW)


def give(stage):
    stage.decide(vault_access.give_access, 3)
    stage.decide(vault_access.set_full_control, 3, full_control=True)
    stage.decide(vault_access.set_full_control, 0, full_control=True)


def take(stage):
    give(stage)
    stage.sweep()
    stage.decide(vault_access.take_access, 3)
    stage.decide(vault_access.set_full_control, 0, full_control=False)
    stage.decide(vault_access.block, 1)


def remove_links(stage):
    """From the target of the second link, which merges, those whom people put there do not leave."""
    stage.admin(admin.change_members, stage.target(1), add=[stage.guest, stage.keys[0]])
    for link in stage.links:
        links.remove_link(link=link, members=links.Members.LEAVE, **DEED)


def drift(stage):
    """What people changed in the vault and on its server is found by a full comparison."""
    stage.admin(admin.delete_user, stage.keys[0])
    stage.admin(admin.change_user, stage.keys[1], enabled=False)
    stage.admin(admin.change_members, stage.target(0), add=[stage.guest])
    stage.admin(admin.change_members, stage.target(1), add=[stage.guest], remove=[stage.keys[2]])
    stage.admin(admin.change_group, stage.target(1), name="Renamed")
    admin.change_login_account(stage.server, "user1", email="other@example.com")
    stage.compare()


def delete_target(stage):
    """A person deletes a target to which somebody is to be added."""
    stage.admin(admin.delete_group, stage.target(0))
    change_members(stage.sources[0], add=[stage.account(3)], at=NOW)


def restore(stage):
    """A backup from before somebody came and another was renamed comes back."""
    change_members(stage.sources[1], add=[stage.account(3)], at=NOW)
    change_account(stage.account(1), username="renamed", at=NOW)
    stage.sweep()
    admin.restore(stage.server, "early")
    stage.compare()


def ask(stage):
    """A person asks for a new group, for another to be hidden, and for members to be added to it and removed."""
    group = stage.admin(admin.add_group, "Board")
    stage.admin(admin.change_members, group.id, add=[stage.keys[0]])
    board = VaultUserGroup.objects.create(vault=stage.vault, name="Board", name_key="board", remote_id=group.id)
    vault_groups.request_group(vault=stage.vault, name="Partners", **DEED)
    vault_groups.set_visible(group=board, is_visible=False, **DEED)
    vault_groups.change_members(group=board, keys=stage.keys[1:3], is_member=True, **DEED)
    vault_groups.change_members(group=board, keys=stage.keys[:1], is_member=False, **DEED)


SCENES = {
    "a first link that replaces": first_link(GroupLink.Mode.REPLACE),
    "a first link that merges": first_link(GroupLink.Mode.MERGE),
    "members leave": leave,
    "accounts are renamed and disabled": rename_and_disable,
    "an admin gives access and rights": give,
    "an admin takes access and rights": take,
    "links are removed": remove_links,
    "a full comparison finds drift": drift,
    "a target is deleted": delete_target,
    "a backup comes back": restore,
    "a person asks for groups and members": ask,
}


def pictured(stage):
    """Return the vault and all records of it, as far as they do not say when or how often they were made."""
    server, guid = stage.server, stage.guid
    groups = [group for group in server.list_groups(guid) if not group.built_in]
    return {
        "users": [replace(user, etag="") for user in each_vault_user(server, guid)],
        "groups": groups,
        "members": {group.name: [one.key for one in each_group_member(server, guid, group.id)] for group in groups},
        "login accounts": server.list_login_accounts(guid).items,
        **{model.__name__: _recorded(model) for model in _FIELDS},
    }


_FIELDS = {
    VaultUser: (
        *("account_uid", "remote_id", "wanted_enabled", "seen_enabled", "wanted_manual", "wanted_full_control"),
        *("wanted_profile", "seen_profile", "seen_roles", "disabled_by", "overrides_person", "is_blocked"),
        *("state", "reason", "attempts", "due_at"),
    ),
    VaultUserMembership: ("target__name", "vault_user__account_uid", "wanted", "seen", "added_by_us"),
    VaultUserGroup: ("name", "remote_id", "is_built_in", "is_visible", "wanted_visible", "is_requested", "reason"),
    VaultGroupChange: ("group__name", "key", "is_member", "reason"),
    GroupLink: ("target__name", "mode", "ending_at", "generation", "observed_generation"),
    LinkStatus: ("link__target__name", "prepared_generation", "state", "reason"),
    VaultStatus: ("state", "reason", "attempts", "lease_token"),
}


def _recorded(model):
    return list(model.objects.order_by(*_FIELDS[model][:2]).values_list(*_FIELDS[model]))
