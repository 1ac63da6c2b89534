"""The list of internal users, and a user's information."""

import re

import pytest
from django.http import HttpResponse

from provisioning import columns, fragments
from provisioning.columns import Cell, Column
from provisioning.models import LoginAccount, UserGroup
from provisioning.queries import account_pages
from provisioning.queries.accounts import words_of
from provisioning.services.accounts import remove_account
from tests.factories import make_account, make_call, make_configuration, make_group, make_subscription


def names(client, url):
    return re.findall(r'<a class="first" href="[^"]+">([^<]+)</a>', client.get(url).content.decode())


@pytest.fixture
def users(contoso):
    return contoso.url("users/")


def test_all_columns_are_there(users, admin):
    page = admin.get(users).content.decode()

    heads = re.findall(r'<th scope="col"[^>]*>(?:<[^>]+>)?([^<]+)', page)
    names_and_emails = ["Full name", "Username", "Email"]
    others = ["License", "State", "Role", "Source", "Vaults", "Last change"]
    assert [head for head in heads if head != "Selected"] == names_and_emails + others
    assert "Ann Ångström" in page
    assert "3 internal users" in page


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ann", ["Ann Ångström"]),
        ("ÅNGSTRÖM", ["Ann Ångström"]),
        ("ANN@CONTOSO", ["Ann Ångström"]),
        ("ann öberg", ["Ann Ångström", "Bo Öberg"]),
        ('"bo öberg"', ["Bo Öberg"]),
        ('"öberg bo"', []),
        ('"', ["root@contoso.example", "Ann Ångström", "Bo Öberg"]),
        ("100%", []),
        ("_", []),
    ],
)
def test_search_takes_any_of_the_words_and_quotation_marks_keep_their_order(search, found, users, admin):
    assert sorted(names(admin, f"{users}?q={search.replace('%', '%25')}")) == sorted(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ann  Berg", ["ann", "berg"]),
        ('"Ann Berg" x', ["ann berg", "x"]),
        ("O'Brien #1", ["o'brien", "#1"]),
        ('half "open', ["half", "open"]),
        ("a\\b", ["a\\b"]),
        ("  ", []),
    ],
)
def test_a_search_is_split_into_words(text, words):
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=enabled", ["root@contoso.example", "Ann Ångström"]),
        ("state=disabled", ["Bo Öberg"]),
        ("state=removed", []),
        ("configuration=manual", ["root@contoso.example"]),
        ("state=nonsense", ["root@contoso.example", "Ann Ångström", "Bo Öberg"]),
        ("configuration=999999", ["root@contoso.example", "Ann Ångström", "Bo Öberg"]),
        ("group=99999999999999999999", ["root@contoso.example", "Ann Ångström", "Bo Öberg"]),
        ("q=%00", ["root@contoso.example", "Ann Ångström", "Bo Öberg"]),
        ("page=nonsense", ["root@contoso.example", "Ann Ångström", "Bo Öberg"]),
    ],
)
def test_filters_stand_in_the_address_and_nonsense_narrows_nothing(query, found, users, admin):
    assert sorted(names(admin, f"{users}?{query}")) == sorted(found)


def test_filtering_by_source_and_group(contoso, users, admin):
    small = make_group(contoso.configuration, "Small", members=[contoso.bo])

    by_source = names(admin, f"{users}?configuration={contoso.configuration.pk}")
    by_group = names(admin, f"{users}?group={small.pk}")

    assert sorted(by_source) == ["Ann Ångström", "Bo Öberg"]
    assert by_group == ["Bo Öberg"]


def test_another_subscriptions_group_narrows_nothing(users, admin):
    elsewhere = make_configuration(make_subscription("Fabrikam"))
    group = make_group(elsewhere, "Theirs", members=[make_account(elsewhere)])

    assert len(names(admin, f"{users}?group={group.pk}")) == 3


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Ann Ångström", "Bo Öberg", "root@contoso.example"]),
        ("sort=-name", ["root@contoso.example", "Bo Öberg", "Ann Ångström"]),
        ("sort=username", ["Ann Ångström", "Bo Öberg", "root@contoso.example"]),
        ("sort=-email", ["root@contoso.example", "Bo Öberg", "Ann Ångström"]),
        ("sort=-email&state=disabled", ["Bo Öberg"]),
        ("sort=nonsense", ["Ann Ångström", "Bo Öberg", "root@contoso.example"]),
        ("license=9&waiting=8&vault=7&role=6", ["Ann Ångström", "Bo Öberg", "root@contoso.example"]),
    ],
)
def test_the_order_stands_in_the_address(query, found, users, admin):
    LoginAccount.objects.filter(full_name="").update(full_name="root@contoso.example")

    assert names(admin, f"{users}?{query}") == found


def test_a_head_says_how_the_list_is_ordered_and_turns_it(users, admin):
    page = admin.get(f"{users}?sort=-username&state=enabled&page=x").content.decode()

    assert page.count("aria-sort") == 1
    assert '<th scope="col" aria-sort="descending"><a href="?sort=username&amp;state=enabled">Username</a></th>' in page
    assert '<th scope="col"><a href="?sort=name&amp;state=enabled">Full name</a></th>' in page
    assert 'aria-sort="ascending"><a href="?sort=-name">Full name</a>' in admin.get(users).content.decode()


def test_the_filter_offers_what_other_apps_add(contoso, users, admin):
    page = admin.get(users).content.decode()

    for label in ("License", "Waits", "Vault", "Role"):
        assert re.search(rf"<label[^>]*>{label}</label>", page)
    assert f'<option value="{contoso.contracts.pk}">Contracts</option>' in page


def test_a_search_that_stops_says_so_and_goes_on(users, admin, monkeypatch):
    monkeypatch.setattr(account_pages, "STRETCH", 1)

    first = admin.get(f"{users}?q=root").content.decode()
    pages = [first]
    while onward := re.search(r'href="([^"]+)" rel="next"', pages[-1]):
        pages.append(admin.get(users + onward[1].replace("&amp;", "&")).content.decode())

    assert "Searched 1 users. The next page searches on from there." in first
    assert sum("root@<wbr>contoso.example" in page for page in pages) == 1
    assert all("Nobody fits" not in page for page in pages[:-1])


def test_nobody_fits_is_said(users, admin):
    assert "Nobody fits" in admin.get(f"{users}?q=nobody-at-all").content.decode()


def test_pages_of_fifty_lead_forth_and_back_with_the_filter(contoso, users, admin):
    for number in range(70):
        make_account(contoso.configuration, f"many{number}@contoso.example", full_name=f"Many {number:02}")

    first = admin.get(f"{users}?q=many").content.decode()
    onward = re.search(r'href="([^"]+)" rel="next"', first)[1].replace("&amp;", "&")
    second = admin.get(users + onward).content.decode()
    back = re.search(r'href="([^"]+)" rel="prev"', second)[1].replace("&amp;", "&")

    assert "70 internal users found" in first
    assert names(admin, f"{users}?q=many") == [f"Many {number:02}" for number in range(50)]
    assert names(admin, users + onward) == [f"Many {number:02}" for number in range(50, 70)]
    assert names(admin, users + back) == [f"Many {number:02}" for number in range(50)]
    assert 'rel="next"' not in second
    assert 'rel="prev"' not in admin.get(users + back).content.decode()


def test_htmx_gets_the_list_alone(users, admin):
    part = admin.get(users, headers={"HX-Request": "true"}).content.decode()

    assert "Ann Ångström" in part
    assert "<html" not in part
    assert (
        "<html"
        in admin.get(users, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}).content.decode()
    )


def test_columns_of_other_apps_are_shown(contoso, users, admin, monkeypatch):
    monkeypatch.setattr(columns, "_columns", {})
    cells = {contoso.ann.pk: Cell("Read only", "waiting", "waits for Named, place 4 of 17")}
    columns.register("accounts", Column("License", lambda _ids: cells))

    page = admin.get(users).content.decode()

    assert '<th scope="col">License</th>' in page
    assert '<td data-label="License">' in page
    assert "waits for Named, place 4 of 17" in page


def test_a_users_page_shows_everything(contoso, admin):
    page = admin.get(contoso.url(f"users/{contoso.ann.pk}/")).content.decode()

    for words in (
        "Ann Ångström",
        "ann@contoso.example",
        "Additional information 1",
        "Cost center 1001",
        "Additional information 2",
        "Building &lt;B&gt;",
        "Contoso Entra ID",
        "Legal",
        "Enabled",
        contoso.ann.scim_id,
        "Create user",
    ):
        assert words in page


def test_a_users_page_includes_what_other_apps_show_of_them(contoso, admin, monkeypatch):
    monkeypatch.setattr(fragments, "_fragments", {})

    def license_of(_request, number, pk):
        return HttpResponse(f"<p>license of {number} {pk}</p>")

    fragments.register("account", license_of)

    page = admin.get(contoso.url(f"users/{contoso.ann.pk}/")).content.decode()

    assert f"<p>license of {contoso.subscription.number} {contoso.ann.pk}</p>" in page


def test_a_removed_user_is_shown_with_what_happened(contoso, admin):
    remove_account(scim_id=contoso.ann.scim_id, call=make_call(contoso.configuration, operation="delete"))

    page = admin.get(contoso.url(f"users/{contoso.ann.pk}/")).content.decode()

    assert "The identity provider removed this user" in page
    assert "Delete user" in page
    assert LoginAccount.objects.get(pk=contoso.ann.pk).is_removed


def test_a_long_username_breaks_after_its_at_sign_and_stays_escaped(contoso, users, admin):
    make_account(contoso.configuration, "<b>@contoso.example")

    assert "&lt;b&gt;@<wbr>contoso.example" in admin.get(users).content.decode()


def test_a_name_cannot_bring_markup_along(contoso, users, admin):
    make_account(contoso.configuration, "evil@contoso.example", full_name="<script>alert(1)</script>")

    assert "<script>alert(1)" not in admin.get(users).content.decode()


def test_a_user_without_groups_is_told_where_groups_come_from(contoso, admin):
    UserGroup.objects.all().delete()

    assert (
        "Groups come from the identity provider." in admin.get(contoso.url(f"users/{contoso.ann.pk}/")).content.decode()
    )
