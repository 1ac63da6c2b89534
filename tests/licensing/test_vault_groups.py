"""The pages of a vault's user groups: what they show, who may ask what, and what is refused."""

import re
import time
from urllib.parse import unquote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from licensing.models import Ending, VaultGroupChange, VaultUser
from licensing.services import agents, due, group_members, vault_groups
from licensing.services.vault_groups import (
    GroupIsBuiltIn,
    MembersSetByLink,
)
from licensing.vaultserver import admin as vault_admin
from licensing.vaultserver.faults import Faults
from provisioning.models import AuditEntry, GroupLink, LoginAccount, VaultUserGroup
from tests.factories import (
    ACTOR,
    NOON,
    PASSWORD,
    make_account,
    make_admin,
    make_group,
    make_link,
    make_subscription,
    make_vault,
)
from tests.licensing.people import MINUTE

ANN, BOB = "ann@contoso.example", "bob@contoso.example"
Role = LoginAccount.Role
NOW = NOON + 6 * MINUTE
pytestmark = pytest.mark.django_db


@pytest.fixture
def people(world):
    """Ann and Bob are vault users, and by a link members of Everybody."""
    accounts = {
        name: make_account(world.configuration, name, full_name=name.partition("@")[0].title() + " <Contoso>")
        for name in (ANN, BOB)
    }
    make_link(make_group(world.configuration, "Staff", members=accounts.values()), world.vault, "Everybody")
    world.sweep()
    return accounts


@pytest.fixture
def group(world, people):
    """A user group that a person made in the vault, with Ann in it."""
    made = vault_admin.add_group(world.server, world.guid, "Lawyers")
    vault_admin.change_members(world.server, world.guid, made.id, add=[str(people[ANN].uid)])
    world.sweep(NOW)
    return record(world, "Lawyers")


@pytest.fixture
def browse(world, client):
    """Sign in as a person of a role; return how to open and to send pages of the vault's groups."""

    def go(role=Role.SUBSCRIPTION_ADMIN):
        person = make_admin(world.subscription, role=role)
        client.post("/account/login/", {"login": person.email, "password": PASSWORD})
        base = f"/s/{world.subscription.number}/vaults/{world.vault.pk}/groups/"
        return Browser(client, base)

    return go


class Browser:
    def __init__(self, client, base):
        self.client, self.base = client, base

    def get(self, path="", **query):
        return self.client.get(self.base + path, query)

    def text(self, path="", **query):
        answer = self.get(path, **query)
        assert answer.status_code == 200
        return answer.content.decode()

    def post(self, path, **data):
        return self.client.post(self.base + path, data, follow=True)


def record(world, name):
    return VaultUserGroup.objects.get(vault=world.vault, name=name)


def change(group, *keys, is_member=True):
    return vault_groups.change_members(group=group, keys=keys, is_member=is_member, actor=ACTOR, at=NOW)


def row(page, name):
    """The row of a table that has the name."""
    return next(part for part in re.findall(r"<tr>.*?</tr>", page, re.DOTALL) if name in part)


def test_the_list_shows_what_kind_each_is_and_what_fills_it(world, group, browse):
    vault_groups.request_group(vault=world.vault, name="Partners", actor=ACTOR, at=NOW)
    vault_groups.set_visible(group=group, is_visible=False, actor=ACTOR, at=NOW)

    page = browse().text()

    assert "Built in" in row(page, "All internal users")
    assert "Staff" in row(page, "Everybody")
    assert "In the vault" in row(page, "Everybody")
    assert "Is being made" in row(page, "Partners")
    assert "Is being hidden" in row(page, "Lawyers")


def test_a_group_is_created_and_appears_in_the_vault(world, people, browse):
    browser = browse()

    answer = browser.post("create/", name=" Partners ")

    assert answer.redirect_chain[0][1] == 303
    assert "Partners is being made in the vault." in answer.content.decode()
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.target) == ("create vault user group", "Contracts › Partners")
    world.sweep(timezone.now())
    assert "In the vault" in row(browser.text(), "Partners")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("LAWYERS", "The vault has a user group “LAWYERS” already."),
        ("all internal USERS", "already"),
        ("", "Enter a name for the user group."),
        ("a\tb", "control character"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_the_form_kept(world, group, browse, name, sentence):
    answer = browse().post("create/", name=name)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not VaultUserGroup.objects.filter(is_requested=True).exists()


def test_the_page_names_members_users_unknown_ones_and_groups(world, people, group, browse):
    local = vault_admin.add_user(world.server, world.guid, "local-admin", enabled=False)
    everybody = record(world, "Everybody")
    keys = [local.key, f"group:{everybody.remote_id}"]
    vault_admin.change_members(world.server, world.guid, group.remote_id, add=keys)

    page = browse().text(f"{group.pk}/")

    assert "Ann &lt;Contoso&gt;" in row(page, ANN)
    assert f"/users/{people[ANN].pk}/" in row(page, ANN)
    assert "Enabled" in row(page, ANN)
    assert "Disabled" in row(page, "local-admin")
    assert "User group" in row(page, "Everybody")
    assert f"groups/{everybody.pk}/" in row(page, "Everybody")


def test_members_come_a_page_at_a_time_for_the_same_statements(world, group, browse):
    keys = [vault_admin.add_user(world.server, world.guid, f"local{number:03}").key for number in range(70)]
    browser, counts = browse(), []
    for some in (keys[:1], keys):
        vault_admin.change_members(world.server, world.guid, group.remote_id, add=some)
        with CaptureQueriesContext(connection) as captured:
            first = browser.text(f"{group.pk}/")
        counts.append(len(captured))
    after = unquote(re.search(r'href="\?after=([^"]+)" rel="next"', first)[1])

    second = browser.text(f"{group.pk}/", after=after)

    assert counts[0] == counts[1]
    assert len(re.findall(r'name="keys"', first)) == 50
    assert len(re.findall(r'name="keys"', second)) == 21
    assert "First page" in second


@pytest.mark.parametrize("fault", [Faults(down=True), Faults(latency=1.5)])
def test_a_vault_that_does_not_answer_leaves_the_rest_of_the_page(world, group, browse, fault, monkeypatch):
    monkeypatch.setattr(agents, "PAGE_TIMEOUT", 0.5)
    browser = browse()
    world.server.faults.put(fault)
    began = time.monotonic()

    page = browser.text(f"{group.pk}/")

    world.server.faults.clear()
    assert time.monotonic() - began < 10
    assert "The members cannot be shown now." in page
    assert "Hide in the vault" in page
    assert "Add members" in page


def test_a_group_that_is_not_made_yet_has_no_members_to_show(world, people, browse):
    made = vault_groups.request_group(vault=world.vault, name="Partners", actor=ACTOR, at=NOW)

    assert "The group is not in the vault yet." in browse().text(f"{made.pk}/")


def test_users_are_searched_and_added_and_groups_chosen(world, people, group, browse):
    browser = browse()
    page = browser.text(f"{group.pk}/", q="bob")
    user = VaultUser.objects.get(account=people[BOB])
    assert f'value="{user.pk}" id="user_{user.pk}"' in page
    assert len(re.findall(r'name="users"', page)) == 1
    assert "No enabled user of the vault fits" in browser.text(f"{group.pk}/", q="nobody")

    answer = browser.post(f"{group.pk}/add/", users=user.pk)
    browser.post(f"{group.pk}/add/", groups=record(world, "Everybody").pk)

    assert "1 member is being added." in answer.content.decode()
    assert "Is being added" in browser.text(f"{group.pk}/")
    world.sweep(timezone.now())
    everybody = f"group:{record(world, 'Everybody').remote_id}"
    assert world.members("Lawyers") == {ANN, BOB, everybody}
    entry = AuditEntry.objects.filter(action="add members to vault user group").earliest("id")
    assert (entry.target, entry.changes) == ("Contracts › Lawyers", {"members": [None, BOB]})


def test_members_are_removed_and_shown_as_leaving_until_they_have(world, people, group, browse):
    browser = browse()

    browser.post(f"{group.pk}/remove/", keys=str(people[ANN].uid))

    assert "Is being removed" in row(browser.text(f"{group.pk}/"), ANN)
    world.sweep(timezone.now())
    assert world.members("Lawyers") == set()
    assert "Nobody is in this user group." in browser.text(f"{group.pk}/")


def test_choosing_nobody_and_strange_ids_change_nothing(world, group, browse):
    browser = browse()
    other = make_vault(world.subscription)
    foreign = VaultUserGroup.objects.create(vault=other, name="Far", name_key="far", remote_id=9)

    for path, data in (
        ("add/", {}),
        ("add/", {"users": ["x", "9" * 30, "-1"], "groups": [foreign.pk]}),
        ("remove/", {}),
        ("remove/", {"keys": ["everybody"]}),
    ):
        assert browser.post(f"{group.pk}/{path}", **data).status_code == 200
    assert not VaultGroupChange.objects.exists()


def test_a_wish_that_failed_says_why_and_is_forgotten(world, people, group, browse):
    browser = browse()
    change(group, f"group:{group.remote_id}")
    world.sweep(NOW)
    page = browser.text(f"{group.pk}/")
    assert "Not added" in page
    assert "The group would be a member of itself." in page
    assert "Members refused" in row(browser.text(), "Lawyers")

    wish = VaultGroupChange.objects.get()
    browser.post(f"{group.pk}/changes/{wish.pk}/forget/")

    assert not VaultGroupChange.objects.exists()
    assert AuditEntry.objects.latest("id").changes == {"add": ["Lawyers", None]}
    assert "What is asked of the vault" not in browser.text(f"{group.pk}/")


def test_a_group_that_the_vault_refused_to_make_is_forgotten_with_its_wishes(world, people, browse):
    made = vault_groups.request_group(vault=world.vault, name="Partners", actor=ACTOR, at=NOW)
    change(made, str(people[ANN].uid))
    VaultUserGroup.objects.filter(pk=made.pk).update(reason="M-Files declined.")
    browser = browse()
    assert "The group was not made: M-Files declined." in browser.text(f"{made.pk}/")
    assert not due.open_groups().exists()

    answer = browser.post(f"{made.pk}/forget/")

    assert "Partners is not made." in answer.content.decode()
    assert not VaultUserGroup.objects.filter(pk=made.pk).exists()
    assert not VaultGroupChange.objects.exists()


def test_forgetting_that_a_group_could_not_be_hidden_keeps_the_group(world, group, browse):
    vault_groups.set_visible(group=group, is_visible=False, actor=ACTOR, at=NOW)
    VaultUserGroup.objects.filter(pk=group.pk).update(reason="M-Files declined.")

    browse().post(f"{group.pk}/forget/")

    group.refresh_from_db()
    assert (group.wanted_visible, group.reason, group.is_visible) == (None, "", True)
    assert vault_groups.forget_wish(group=group, actor=ACTOR, at=NOW) is False


def test_a_group_is_hidden_and_shown_by_one_button(world, group, browse):
    browser = browse()
    answer = browser.post(f"{group.pk}/visibility/", visible="0")
    assert "Lawyers is being hidden." in answer.content.decode()
    assert AuditEntry.objects.latest("id").changes == {"visibility": ["Visible", "Hidden"]}
    world.sweep(timezone.now())
    assert "Show in the vault" in browser.text(f"{group.pk}/")

    assert vault_groups.set_visible(group=group, is_visible=False, actor=ACTOR, at=NOW) is False


def test_nobody_changes_a_built_in_group(world, people, group, browse):
    built_in = record(world, "All internal users")
    with pytest.raises(GroupIsBuiltIn):
        change(built_in, str(people[ANN].uid))
    with pytest.raises(GroupIsBuiltIn):
        vault_groups.set_visible(group=built_in, is_visible=False, actor=ACTOR, at=NOW)

    page = browse().text(f"{built_in.pk}/")

    assert "the vault itself decides who is in it" in page
    assert ANN in page
    assert "Add members" not in page
    assert 'name="keys"' not in page
    assert "Hide in the vault" not in page


def test_a_link_in_replace_mode_decides_alone(world, people, group, browse):
    everybody, eve = record(world, "Everybody"), make_account(world.configuration)

    for is_member in (True, False):
        with pytest.raises(MembersSetByLink, match="The members of “Everybody” are set by the link from “Staff”"):
            change(everybody, str(eve.uid), is_member=is_member)

    page = browse().text(f"{everybody.pk}/")
    assert "The link sets the members: who is not in Staff leaves." in page
    assert "Add members" not in page


def test_a_link_in_merge_mode_decides_about_its_own_members_only(world, people, group, browse):
    GroupLink.objects.update(mode=GroupLink.Mode.MERGE)
    everybody = record(world, "Everybody")
    local = vault_admin.add_user(world.server, world.guid, "local-admin")

    change(everybody, local.key)
    with pytest.raises(MembersSetByLink, match="The members you chose come from the link from “Staff”"):
        change(everybody, str(people[ANN].uid), is_member=False)
    world.sweep(NOW)

    assert world.members("Everybody") == {ANN, BOB, "local-admin"}
    page = browse().text(f"{everybody.pk}/")
    assert "leaves others alone" in page
    assert "By the link" in row(page, ANN)
    assert 'name="keys"' not in row(page, ANN)
    assert 'name="keys"' in row(page, "local-admin")


def test_a_page_of_many_wishes_shows_the_failed_ones_first_and_counts_the_rest(world, group, browse):
    change(group, *(f"user:{number}" for number in range(100, 160)))
    VaultGroupChange.objects.filter(key="user:159").update(state=Ending.STALLED, reason="Declined.", due_at=None)

    found, number = group_members.open_changes(group)

    assert (found[0][0].key, len(found), number) == ("user:159", 50, 60)
    assert "And 10 more." in browse().text(f"{group.pk}/")


def test_a_billing_admin_sees_groups_and_changes_nothing(world, people, group, browse):
    browser = browse(Role.BILLING_ADMIN)

    page = browser.text(f"{group.pk}/")

    assert ANN in page
    assert "<form" not in page.partition("<main")[2]
    assert "Create user group" not in browser.text()
    for path in ("create/", *(f"{group.pk}/{deed}/" for deed in ("visibility", "add", "remove", "forget"))):
        assert browser.post(path, name="x", keys=str(people[ANN].uid)).status_code == 404
    assert not VaultGroupChange.objects.exists()


def test_groups_of_other_vaults_and_subscriptions_are_not_found(world, group, client):
    fabrikam = make_subscription("Fabrikam")
    person = make_admin(fabrikam)
    client.post("/account/login/", {"login": person.email, "password": PASSWORD})
    own = make_vault(fabrikam)

    for vault in (world.vault.pk, own.pk):
        base = f"/s/{fabrikam.number}/vaults/{vault}/groups/"
        assert client.get(f"{base}{group.pk}/").status_code == 404
        assert client.post(f"{base}{group.pk}/remove/", {"keys": "user:1"}).status_code == 404
    assert client.get(f"/s/{fabrikam.number}/vaults/{world.vault.pk}/groups/").status_code == 404


def test_deeds_are_not_done_by_a_link(world, group, browse):
    browser = browse()

    assert {browser.get(f"{group.pk}/{deed}/").status_code for deed in ("visibility", "add", "remove")} == {405}
