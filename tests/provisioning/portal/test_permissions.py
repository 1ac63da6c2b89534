"""Who sees what: every page as every role, a stranger, and nobody (1-product §1.6)."""

from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from provisioning.models import LoginAccount
from tests.factories import PASSWORD, make_admin, make_subscription
from tests.trust.rules import ABOVE

Role = LoginAccount.Role
MACHINES = ("oauth/", "scim/")
"""Not for people: these check tokens and secrets, and describe how."""


def patterns(resolver, prefix=""):
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, route)
        elif isinstance(entry, URLPattern):
            yield route, entry


def test_every_view_for_people_has_a_permission():
    without = [
        route
        for route, entry in patterns(get_resolver())
        if not route.removeprefix("^").startswith(MACHINES)
        and entry.name not in ABOVE
        and not hasattr(entry.callback, "permission")
    ]

    assert without == []


@pytest.mark.parametrize(
    ("role", "hidden"), [(Role.SUBSCRIPTION_ADMIN, []), (Role.ACCESS_ADMIN, ["settings/", "settings/single-sign-on/"])]
)
def test_subscription_admins_see_every_page_and_access_admins_all_but_settings(role, hidden, contoso, sign_in):
    client = sign_in(make_admin(contoso.subscription, role=role))

    answers = {url: client.get(url).status_code for url in contoso.pages()}

    assert answers == dict.fromkeys(contoso.pages(), 200) | {contoso.url(path): 404 for path in hidden}


def is_for_those_who_change(url):
    return (
        "/accounts/" in url
        or url.endswith("/trusted/add/")
        or ("/applications/" in url and url.endswith(("/create/", "/edit/", "/delete/")))
    )


def test_a_billing_admin_sees_neither_provisioning_nor_settings_and_makes_and_removes_no_vaults(contoso, sign_in):
    client = sign_in(make_admin(contoso.subscription, role=Role.BILLING_ADMIN))

    answers = {url: client.get(url).status_code for url in contoso.pages()}

    hidden = {
        contoso.url(path)
        for path in (
            "settings/",
            "settings/single-sign-on/",
            "vaults/create/",
            f"vaults/{contoso.contracts.pk}/remove/",
        )
    }
    assert {url for url, status in answers.items() if status == 404} == {
        url for url in contoso.pages() if "/provisioning/" in url or url in hidden or is_for_those_who_change(url)
    }
    assert set(answers.values()) == {200, 404}
    assert b"/provisioning/" not in b"".join(
        client.get(url).content for url, status in answers.items() if status == 200
    )


def test_a_stranger_finds_nothing(contoso, sign_in):
    client = sign_in(make_admin(make_subscription("Fabrikam")))

    assert {client.get(url).status_code for url in contoso.pages()} == {404}


def test_another_subscriptions_things_are_not_found_under_ones_own_number(contoso, sign_in):
    fabrikam = make_subscription("Fabrikam")
    client = sign_in(make_admin(fabrikam))

    for url in contoso.pages():
        own = url.replace(contoso.subscription.number, fabrikam.number)
        path, _, chosen = own.partition("?")
        has_id = any(part.isdecimal() for part in path.split("/"))
        assert client.get(own).status_code == (404 if has_id else 422 if "group=" in chosen else 200), own


def test_who_is_refused_a_page_stands_in_the_log_with_what_it_was(contoso, sign_in, caplog):
    billing = sign_in(make_admin(contoso.subscription, "billing@contoso.com", role=Role.BILLING_ADMIN))
    stranger = sign_in(make_admin(make_subscription("Fabrikam"), "stranger@fabrikam.com"))
    page = contoso.url("settings/")

    billing.get(page)
    stranger.post(page)
    billing.get(contoso.url())

    assert [record.getMessage() for record in caplog.records if record.name == "provisioning.permissions"] == [
        f"'billing@contoso.com' may not GET '{page}' as Billing admin",
        f"'stranger@fabrikam.com' may not POST '{page}' as a stranger",
    ]


def test_nobody_is_sent_to_the_sign_in_page_and_back(contoso):
    for url in contoso.pages():
        answer = Client().get(url)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/account/login/?next=/s/")


def test_a_part_that_renews_itself_takes_its_whole_page_to_the_sign_in_page(contoso):
    page = contoso.url("provisioning/links/?page=x")

    answer = Client().get(
        contoso.url("provisioning/links/"),
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}"},
    )

    assert answer["HX-Redirect"] == f"/account/login/?next={quote(page)}"


@pytest.mark.parametrize("path", ["configurations/{configuration}/pause/", "configurations/{configuration}/resume/"])
def test_a_stranger_and_a_billing_admin_change_nothing(path, contoso, sign_in):
    url = contoso.url("provisioning/" + path.format(configuration=contoso.configuration.pk))
    billing = sign_in(make_admin(contoso.subscription, role=Role.BILLING_ADMIN))
    stranger = sign_in(make_admin(make_subscription("Fabrikam")))

    assert billing.post(url).status_code == 404
    assert stranger.post(url).status_code == 404
    contoso.configuration.refresh_from_db()
    assert contoso.configuration.paused_at is None


def test_disabling_an_admin_closes_the_portal_at_once(contoso, sign_in):
    account = make_admin(contoso.subscription)
    client = sign_in(account)
    assert client.get(contoso.url()).status_code == 200

    LoginAccount.objects.filter(pk=account.pk).update(is_enabled=False)

    assert client.get(contoso.url()).status_code == 404


def test_who_has_roles_in_two_subscriptions_chooses_between_them(contoso, sign_in):
    account = make_admin(contoso.subscription, "both@example.com")
    other = make_subscription("Fabrikam")
    make_admin(other, "both@example.com", role=Role.BILLING_ADMIN)
    client = sign_in(account)

    page = client.get(contoso.url()).content.decode()

    assert f'href="/s/{other.number}/"' in page
    assert client.get(f"/s/{other.number}/").status_code == 200
    assert client.get(f"/s/{other.number}/provisioning/log/").status_code == 404
    assert client.get("/")["Location"] == contoso.url()


def test_pages_do_not_stay_in_the_browser_after_signing_out(contoso, admin):
    assert "no-store" in admin.get(contoso.url())["Cache-Control"]


def test_the_audit_log_of_a_billing_admin_holds_only_their_own_acts(contoso, sign_in):
    client = sign_in(make_admin(contoso.subscription, role=Role.BILLING_ADMIN))

    assert b"create vault" not in client.get(contoso.url("audit/")).content.lower()


def test_the_password_alone_opens_nothing_without_a_role(contoso):
    account = make_admin(contoso.subscription, "gone@example.com")
    LoginAccount.objects.filter(pk=account.pk).update(is_enabled=False)
    client = Client()

    answer = client.post("/account/login/", {"login": "gone@example.com", "password": PASSWORD})

    assert answer.status_code == 200
    assert "has no role in mfmanage" in answer.content.decode()
    assert "_auth_user_id" not in client.session
