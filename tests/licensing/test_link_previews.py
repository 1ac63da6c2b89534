"""What the preview of a link says is what happens, in generated small worlds with a real emulated vault server."""

from datetime import timedelta
from random import Random

import pytest

from licensing.models import VaultUser
from licensing.services import link_previews
from licensing.vaultserver import admin
from licensing.vaultserver.faults import Faults
from licensing.views import previewing
from provisioning.models import GroupLink, VaultAccess, VaultUserGroup
from provisioning.services import links
from provisioning.services.links import Members
from tests.factories import ACTOR, NOON, make_account, make_group, make_link
from tests.licensing.people import change_members, disable, purchase
from tests.licensing.test_portal import page, signed_in

ANN, BOB, EVE = "ann@contoso.example", "bob@contoso.example", "eve@contoso.example"
MERGE, REPLACE = GroupLink.Mode.MERGE, GroupLink.Mode.REPLACE
DONE = {"actor": ACTOR, "at": NOON}
STEP = timedelta(minutes=10)


class Changing:
    """A world in which something is previewed, then done, again and again."""

    def __init__(self, world, seed):
        self.world, self.random, self.now = world, Random(seed), NOON
        purchase(world.subscription, read_only=6)
        self.people = [make_account(world.configuration, f"p{number}@x.example") for number in range(9)]
        self.groups = [
            make_group(world.configuration, f"Group {name}", members=self.random.sample(self.people, 4))
            for name in "ABC"
        ]
        self.sweep()
        self.strangers = [admin.add_user(world.server, world.guid, f"s{number}@x.example") for number in range(2)]
        for name in ("One", "Two"):
            target = admin.add_group(world.server, world.guid, name)
            admin.change_members(world.server, world.guid, target.id, add=[one.key for one in self.strangers])
        self.sweep()

    def sweep(self):
        self.now += STEP
        self.world.sweep(self.now)

    def disturb(self):
        """Let something happen that the links bring in line before the next preview."""
        group, person = self.random.choice(self.groups), self.random.choice(self.people)
        self.random.choice(
            [
                lambda: change_members(group, add=[person]),
                lambda: change_members(group, remove=[person]),
                lambda: disable(person),
                lambda: self.disable_in_vault(person),
                self.add_strangers,
            ]
        )()
        self.sweep()

    def disable_in_vault(self, person):
        if VaultUser.objects.filter(account=person, seen_enabled=True).exists():
            admin.change_user(self.world.server, self.world.guid, person.username, enabled=False)
            VaultUser.objects.filter(account=person).update(seen_enabled=False, disabled_by="person")

    def add_strangers(self):
        for target in VaultUserGroup.objects.filter(vault=self.world.vault, link__mode=MERGE, remote_id__gt=0):
            keys = [one.key for one in self.strangers]
            admin.change_members(self.world.server, self.world.guid, target.remote_id, add=keys)

    def choose(self):
        """Return what is to be done: its target's name, the preview and the deed."""
        link = self.random.choice([*GroupLink.objects.select_related("target__vault", "group"), None])
        mode = self.random.choice([MERGE, REPLACE])
        group = self.random.choice(self.groups)
        if link is None:
            taken = GroupLink.objects.values_list("target__name", flat=True)
            name = self.random.choice([one for one in ("One", "Two", "Three", "Four", "Five") if one not in taken])
            new = {"group": group, "vault": self.world.vault, "target_name": name, "mode": mode}
            return name, link_previews.added(**new), lambda: links.link_group(create_target=True, **new, **DONE)
        members = self.random.choice(list(Members))
        others = [one for one in self.groups if one.pk != link.group_id]
        group = self.random.choice(others)
        return self.random.choice(
            [
                lambda: self.of(link, link_previews.changed_mode, links.set_mode, mode=mode),
                lambda: self.of(link, link_previews.moved, links.move_link, group=group),
                lambda: self.of(link, link_previews.removed, links.remove_link, members=members),
            ]
        )()

    @staticmethod
    def of(link, preview, deed, **how):
        return link.target.name, preview(link=link, **how), lambda: deed(link=link, **how, **DONE)

    def members(self, name):
        known = {group.name for group in self.world.server.list_groups(self.world.guid)}
        return self.world.members(name) if name in known else set()


@pytest.mark.parametrize("seed", range(6))
def test_what_is_previewed_happens(world, seed):
    changing = Changing(world, seed)
    for _ in range(8):
        changing.disturb()
        name, preview, deed = changing.choose()
        users, members = world.users(), changing.members(name)
        deed()
        changing.sweep()
        after = world.users()

        left = members - changing.members(name)
        told = {effect: set() for effect in ("leaves the target group", "becomes a vault user")}
        for line in preview["accounts"]:
            told.setdefault(line["effect"], set()).add(line["username"])
        assert (preview["removed_members"], told["leaves the target group"]) == (len(left), left)
        assert told["becomes a vault user"] == after.keys() - users.keys()
        assert told.get("is enabled in the vault", set()) == {one for one in users if after[one] > users[one]}
        assert told.get("is disabled in the vault", set()) == {one for one in users if after[one] < users[one]}
        assert preview["problem"] == ""


@pytest.fixture
def ann(world):
    return make_account(world.configuration, ANN)


@pytest.fixture
def group(world, ann):
    return make_group(world.configuration, "Legal", members=[ann, make_account(world.configuration, BOB)])


@pytest.fixture
def link(world, group):
    link = make_link(group, world.vault, "Lawyers", mode=MERGE)
    world.sweep()
    (target,) = (one for one in world.server.list_groups(world.guid) if one.name == "Lawyers")
    eve = admin.add_user(world.server, world.guid, EVE)
    admin.change_members(world.server, world.guid, target.id, add=[eve.key])
    return GroupLink.objects.get(pk=link.pk)


def test_whom_an_admin_blocked_does_not_come_to_the_vault(world, group, ann):
    world.sweep()
    VaultAccess.objects.create(
        subscription=world.subscription, account=ann, vault=world.vault, access="blocked", changed_at=NOON
    )

    preview = link_previews.added(group=group, vault=world.vault, target_name="Lawyers", mode=MERGE)

    assert [line["username"] for line in preview["accounts"]] == [BOB]


def test_who_waits_and_who_has_no_license_is_told_apart(world, group):
    purchase(world.subscription, read_only=1)
    world.sweep()

    preview = link_previews.added(group=group, vault=world.vault, target_name="Lawyers", mode=MERGE)

    assert (preview["wait"], preview["created_vault_users"]) == (1, 1)
    assert preview["accounts"][1] == {"username": BOB, "effect": "waits for a license"}


def test_a_page_of_a_preview_is_the_same_as_that_part_of_the_whole(world, group, link):
    other = make_group(world.configuration, "Others", members=[make_account(world.configuration)])
    links.set_mode(link=link, mode=REPLACE, **DONE)
    link.refresh_from_db()
    world.server.faults.general = Faults()
    reconciled = world.sweep(NOON)
    assert reconciled

    whole = link_previews.moved(link=link, group=other)
    assert len(whole["accounts"]) >= 4
    for start in range(len(whole["accounts"]) + 1):
        part = link_previews.moved(link=link, group=other, offset=start, limit=2)
        assert part == whole | {"accounts": whole["accounts"][start : start + 2]}


def test_a_vault_that_cannot_be_asked_is_said_and_the_rest_is_told_all_the_same(world, link):
    world.server.faults.general = Faults(down=True)

    preview = link_previews.changed_mode(link=link, mode=REPLACE)

    assert "The vault server is switched off." in preview["problem"]
    content = page(
        signed_in(world.subscription), world.subscription, f"link-mode/{link.pk}/?mode=replace"
    ).content.decode()
    assert "You can go on all the same" in content


def test_a_vault_that_is_slow_to_name_its_members_holds_a_page_only_so_long(world, group, link, monkeypatch):
    monkeypatch.setattr(link_previews, "LONGEST_WALK", -1.0)

    page_of_it = link_previews.changed_mode(link=link, mode=REPLACE, limit=20)

    assert page_of_it["problem"].startswith("The vault did not name all members of the group within")
    assert page_of_it["accounts"] == []
    whole = link_previews.changed_mode(link=link, mode=REPLACE)
    assert (whole["problem"], len(whole["accounts"])) == ("", whole["removed_members"])


def test_the_pages_pieces_name_who_is_concerned(world, link, group, monkeypatch):
    client = signed_in(world.subscription)

    def shown(path):
        return page(client, world.subscription, path).content.decode()

    assert EVE in shown(f"link-mode/{link.pk}/?mode=replace")
    assert "Nobody comes, leaves or waits." in shown(f"link-mode/{link.pk}/?mode=merge")
    removal = shown(f"link-removal/{link.pk}/")
    assert "Leaves the target group" in removal
    assert "Is disabled in the vault" in removal
    assert "Nobody comes, leaves or waits." in shown(f"link-removal/{link.pk}/?members=stay")
    other = make_group(world.configuration, "Others")
    assert ANN in shown(f"link-move/{link.pk}/?group={other.pk}")
    new = f"group={group.pk}&kind=new&vault={world.vault.pk}&new_target=Team&mode=replace"
    assert "Nobody comes, leaves or waits." in shown(f"link-preview/{group.pk}/?{new}")
    monkeypatch.setattr(previewing, "SHOWN", 1)
    assert "page=2" in shown(f"link-removal/{link.pk}/")


@pytest.mark.parametrize(
    "path",
    ["link-mode/{pk}/?mode=x", "link-move/{pk}/", "link-removal/{pk}/?members=x", "link-preview/1/", "link/0/"],
)
def test_a_piece_of_nonsense_is_not_there(world, link, path):
    assert page(signed_in(world.subscription), world.subscription, path.format(pk=link.pk)).status_code == 404


def test_who_is_on_the_way_is_listed_with_the_reason(world, link, ann):
    client = signed_in(world.subscription)
    assert "Nobody" in page(client, world.subscription, f"link/{link.pk}/").content.decode()

    world.server.faults.general = Faults(refuse=frozenset({"new@x.example"}))
    change_members(link.group, add=[make_account(world.configuration, "new@x.example")])
    world.sweep(NOON + STEP)

    content = page(client, world.subscription, f"link/{link.pk}/").content.decode()
    assert "new@x.example" in content.replace("<wbr>", "")
    assert "The vault server does not accept this user." in content
    assert "Refused" in content
