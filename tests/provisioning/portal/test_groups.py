"""User groups: their list, their pages, their license type; and links."""

import re

import pytest
from django.http import HttpResponse

from provisioning import columns, fragments
from provisioning.columns import Cell, Column
from provisioning.license_types import LicenseType
from provisioning.models import AuditEntry, GroupLink, UserGroup, Vault, VaultUserGroup
from provisioning.queries import groups as queries
from provisioning.services.groups import remove_group
from tests.factories import make_account, make_call, make_configuration, make_group, make_subscription, make_vault


def first_cells(page):
    return re.findall(r'<a class="first"[^>]*>([^<]+)</a>', page)


@pytest.fixture
def groups(contoso):
    return contoso.url("provisioning/groups/")


@pytest.fixture
def link_create(contoso):
    return contoso.url("provisioning/links/create/")


def test_the_list_shows_members_license_type_and_links(groups, admin):
    page = admin.get(groups).content.decode()

    assert first_cells(page) == ["Legal"]
    for cell in ("Contoso Entra ID", '<td data-label="Members">2</td>', "Named", '<td data-label="Links">1</td>'):
        assert cell in page


def test_groups_are_in_the_order_of_their_names_a_page_at_a_time(contoso, groups, admin):
    for number in range(60):
        make_group(contoso.configuration, f"group {number:02}")

    first = admin.get(groups).content.decode()
    onward = re.search(r'href="([^"]+)" rel="next"', first)[1]
    second = admin.get(groups + onward).content.decode()

    assert first_cells(first) + first_cells(second) == [*(f"group {number:02}" for number in range(60)), "Legal"]


def test_members_are_counted_no_further_than_they_are_said(contoso, monkeypatch):
    monkeypatch.setattr(queries, "_MEMBERS", queries.members_count(limit=1))

    assert queries.find(contoso.subscription, contoso.legal.pk).members_count == 2
    make_group(contoso.configuration, "Three", members=[make_account(contoso.configuration) for _ in range(3)])
    three = UserGroup.objects.get(display_name="Three")
    assert queries.find(contoso.subscription, three.pk).members_count == 2


def test_a_deleted_group_is_gone_from_list_and_page(contoso, groups, admin):
    remove_group(scim_id=contoso.legal.scim_id, call=make_call(contoso.configuration, resource_type="Group"))

    assert "No user groups yet" in admin.get(groups).content.decode()
    assert admin.get(f"{groups}{contoso.legal.pk}/").status_code == 404


def test_a_groups_page_shows_members_and_links(contoso, groups, admin):
    page = admin.get(f"{groups}{contoso.legal.pk}/").content.decode()

    assert first_cells(page) == ["Ann Ångström", "Bo Öberg"]
    assert "Contracts › Lawyers" in page
    assert "2 members" in page


def test_members_come_a_page_at_a_time(contoso, groups, admin):
    members = [make_account(contoso.configuration, full_name=f"Member {number:02}") for number in range(55)]
    big = make_group(contoso.configuration, "Big", members=members)

    first = admin.get(f"{groups}{big.pk}/").content.decode()
    onward = re.search(r'href="([^"]+)" rel="next"', first)[1]
    second = admin.get(f"{groups}{big.pk}/{onward}").content.decode()

    assert first_cells(first) + first_cells(second) == [f"Member {number:02}" for number in range(55)]


def test_changing_the_license_type_asks_first_and_then_does_it(contoso, groups, admin):
    url = f"{groups}{contoso.legal.pk}/license/"

    asked = admin.get(f"{url}?license_type=1").content.decode()
    contoso.legal.refresh_from_db()
    before = contoso.legal.license_type
    done = admin.post(url, {"license_type": "1"}, follow=True).content.decode()

    contoso.legal.refresh_from_db()
    assert "<strong>Read only</strong>" in asked
    assert (before, contoso.legal.license_type) == (LicenseType.NAMED, LicenseType.READ_ONLY)
    assert "The license type of Legal is changed." in done
    entry = AuditEntry.objects.latest("id")
    assert (entry.actor_kind, entry.changes) == ("person", {"license_type": ["named", "read-only"]})


def test_a_group_can_stop_giving_a_license(contoso, groups, admin):
    admin.post(f"{groups}{contoso.legal.pk}/license/", {"license_type": ""})

    contoso.legal.refresh_from_db()
    assert contoso.legal.license_type is None


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_license_type_that_does_not_exist_is_not_found(method, contoso, groups, admin):
    answer = getattr(admin, method)(f"{groups}{contoso.legal.pk}/license/", {"license_type": "7"})

    assert answer.status_code == 404
    contoso.legal.refresh_from_db()
    assert contoso.legal.license_type == LicenseType.NAMED


def test_the_preview_of_another_app_stands_before_the_button(contoso, groups, admin, monkeypatch):
    def preview(request, number, pk):
        return HttpResponse(f"<p>2 of group {pk} gain {request.GET['license_type']}</p>")

    monkeypatch.setattr(fragments, "_fragments", {"group_license": [preview]})

    page = admin.get(f"{groups}{contoso.legal.pk}/license/?license_type=1").content.decode()

    assert f"<p>2 of group {contoso.legal.pk} gain 1</p>" in page


def test_links_are_listed_with_the_state_that_another_app_knows(contoso, admin, monkeypatch):
    monkeypatch.setattr(columns, "_columns", {})
    state = Column("State", lambda _ids: {contoso.link.pk: Cell("Synchronizing", "waiting", "3 of 17")})
    columns.register("links", state)

    page = admin.get(contoso.url("provisioning/links/")).content.decode()

    for words in ("Legal", "Lawyers", "Contracts", "Synchronizing", "3 of 17", "Replace"):
        assert words in page


def test_the_list_of_links_renews_itself_without_the_page_around_it(contoso, admin):
    part = admin.get(contoso.url("provisioning/links/"), headers={"HX-Request": "true"}).content.decode()

    assert "Lawyers" in part
    assert "<html" not in part


def test_a_link_whose_source_was_deleted_says_so(contoso, admin):
    remove_group(scim_id=contoso.legal.scim_id, call=make_call(contoso.configuration, resource_type="Group"))

    assert "Deleted by the identity provider" in admin.get(contoso.url("provisioning/links/")).content.decode()


def new_link(contoso, **changes):
    form = {
        "group": contoso.legal.pk,
        "kind": "new",
        "vault": contoso.contracts.pk,
        "new_target": "Team",
        "mode": "merge",
    }
    return form | changes


def test_a_link_to_a_new_user_group(contoso, admin, link_create):
    page = admin.post(link_create, new_link(contoso), follow=True).content.decode()

    link = GroupLink.objects.latest("id")
    assert (link.group, link.target.vault, link.target.name, link.mode) == (
        contoso.legal,
        contoso.contracts,
        "Team",
        GroupLink.Mode.MERGE,
    )
    assert "Legal → Team is linked." in page


def test_a_link_to_an_existing_user_group(contoso, admin, link_create):
    target = VaultUserGroup.objects.create(vault=contoso.contracts, name="Readers", name_key="readers", remote_id=7)

    admin.post(link_create, new_link(contoso, kind="existing", target=target.pk, vault="", new_target=""))

    assert GroupLink.objects.latest("id").target == target


def test_only_targets_that_may_be_one_are_offered(contoso, admin, link_create):
    VaultUserGroup.objects.create(
        vault=contoso.contracts, name="All internal users", name_key="all internal users", remote_id=1, is_built_in=True
    )
    VaultUserGroup.objects.create(vault=contoso.contracts, name="Readers", name_key="readers", remote_id=7)

    page = admin.get(link_create).content.decode()

    assert '<optgroup label="Contracts">' in page
    assert "Readers" in page
    assert "All internal users" not in page
    assert "Lawyers" not in page


def test_the_group_whose_page_one_came_from_is_chosen(contoso, admin, link_create):
    page = admin.get(f"{link_create}?group={contoso.legal.pk}").content.decode()

    assert f'<option value="{contoso.legal.pk}" selected>' in page


def test_a_group_beyond_those_offered_can_be_chosen_from_its_page(contoso, admin, link_create, monkeypatch):
    monkeypatch.setattr(queries, "CHOICE_LIMIT", 1)
    zeta = make_group(contoso.configuration, "Zeta")

    page = admin.get(f"{link_create}?group={zeta.pk}").content.decode()
    admin.post(link_create, new_link(contoso, group=zeta.pk))

    assert f'<option value="{zeta.pk}" selected>' in page
    assert GroupLink.objects.latest("id").group == zeta


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"group": ""}, "Choose the user group whose members should come to the vault."),
        ({"vault": ""}, "Choose the vault in which to create the user group."),
        ({"new_target": ""}, "Enter a name for the new user group."),
        ({"kind": "existing"}, "Choose the user group that the members should join."),
        ({"kind": "nonsense"}, "Select a valid choice"),
        ({"mode": "nonsense"}, "Select a valid choice"),
        ({"new_target": "lawyers"}, "gets its members from “Legal” already. Choose another target group."),
    ],
)
def test_a_form_that_is_refused_says_why_and_keeps_what_was_typed(changes, sentence, contoso, admin, link_create):
    answer = admin.post(link_create, new_link(contoso, **changes))

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert GroupLink.objects.count() == 1


def test_a_built_in_group_is_no_target_under_its_typed_name_either(contoso, admin, link_create):
    VaultUserGroup.objects.create(
        vault=contoso.contracts, name="All internal users", name_key="all internal users", remote_id=1, is_built_in=True
    )

    page = admin.post(link_create, new_link(contoso, new_target="ALL internal USERS")).content.decode()

    assert "is built in and its members cannot be set." in page
    assert 'value="ALL internal USERS"' in page


def test_nothing_of_another_subscription_can_be_linked(contoso, admin, link_create):
    elsewhere = make_configuration(make_subscription("Fabrikam"))
    theirs = make_group(elsewhere, "Theirs")
    vault = make_vault(elsewhere.subscription)

    for changes in ({"group": theirs.pk}, {"vault": vault.pk}):
        assert admin.post(link_create, new_link(contoso, **changes)).status_code == 422
    assert GroupLink.objects.count() == 1


def test_vaults_are_listed_with_their_figures(contoso, admin):
    Vault.objects.filter(pk=contoso.contracts.pk).update(
        objects_count=128403, is_online=False, user_synchronization=True
    )

    page = admin.get(contoso.url("vaults/")).content.decode()

    for words in ("Contracts", "128,403", "Offline", "Turn it off in M-Files Admin"):
        assert words in page


def test_a_subscription_without_vaults_is_told_who_registers_them(contoso, admin):
    GroupLink.objects.all().delete()
    Vault.objects.all().delete()

    assert "No vaults yet" in admin.get(contoso.url("vaults/")).content.decode()
