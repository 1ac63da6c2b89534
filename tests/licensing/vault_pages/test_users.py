"""The users of a vault, and disabling and enabling one of them there."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from licensing.models import Ending, VaultUser
from licensing.services import vault_users
from licensing.vaultserver import admin as vault_admin
from provisioning.models import LoginAccount, VaultAccess
from provisioning.queries import pages
from tests.factories import NOON, make_account, make_vault
from tests.licensing.browsing import ANN, BOB, cost, text


def user_of(account):
    return VaultUser.objects.get(account=account)


def test_users_are_listed_with_state_why_rights_and_access(world, ann, link, client, url):
    world.sweep()
    VaultUser.objects.filter(account=ann).update(seen_roles=1)

    page = text(client.get(f"{url}users/"))

    assert "Ann Ångström" in page
    assert "ann@<wbr>contoso.example" in page
    assert "Linked from group Legal" in page
    assert "Full control of vault" in page
    assert "By links only" in page
    assert page.count('<span class="badge good">Enabled</span>') == 2


def test_users_are_found_by_the_words_of_name_and_username(world, link, client, url):
    world.sweep()

    for words, found in (("ångström", ["ann@"]), ("BOB@", ["bob@"]), ("ann bob", ["ann@", "bob@"]), ("carl", [])):
        page = text(client.get(f"{url}users/", {"q": words}))
        assert [name for name in ("ann@", "bob@") if f"{name}<wbr>" in page] == found


def test_users_are_filtered_by_state(world, ann, link, client, url):
    world.sweep()
    bob = LoginAccount.objects.get(username=BOB)
    VaultUser.objects.filter(account=ann).update(seen_enabled=False)
    VaultUser.objects.filter(account=bob).update(state=Ending.STALLED, reason="The vault server does not accept Bob.")

    def names(state):
        page = text(client.get(f"{url}users/", {"state": state}))
        return [name for name in ("ann@", "bob@") if f"{name}<wbr>" in page]

    assert {state: names(state) for state in vault_users.LISTS} == {
        "enabled": ["bob@"],
        "disabled": ["ann@"],
        "person": ["bob@"],
        "detached": [],
        "all": ["ann@", "bob@"],
    }
    assert "does not accept Bob" in text(client.get(f"{url}users/", {"state": "person"}))
    assert names("nonsense") == names("enabled")


def test_detached_users_are_shown_with_an_explanation(world, ann, link, client, url):
    world.sweep()
    VaultUser.objects.filter(account=ann).update(account=None)

    page = text(client.get(f"{url}users/", {"state": "detached"}))

    assert str(ann.uid) in page
    assert "have lost their login account" in page
    assert "Disable…" not in page


def test_users_lead_on_page_by_page(world, link, client, url, monkeypatch):
    world.sweep()
    monkeypatch.setattr(pages.fetch, "__kwdefaults__", {**pages.fetch.__kwdefaults__, "size": 1})

    first = text(client.get(f"{url}users/"))
    cursor = first.partition('rel="next"')[0].rpartition("page=")[2].partition('"')[0]
    second = text(client.get(f"{url}users/?page={cursor}"))

    assert ("ann@<wbr>" in first, "bob@<wbr>" in first) == (True, False)
    assert ("ann@<wbr>" in second, "bob@<wbr>" in second) == (False, True)
    assert 'rel="prev"' in second


@pytest.mark.parametrize("state", vault_users.LISTS)
def test_lists_of_users_cost_the_same_for_few_and_many(world, link, client, url, state):
    world.sweep()
    few = cost(client, f"{url}users/?state={state}&q=contoso"), cost(client, f"{url}users/?state={state}")
    accounts = [make_account(world.configuration) for _ in range(20)]
    VaultUser.objects.bulk_create(
        VaultUser(
            subscription=world.subscription,
            vault=world.vault,
            account=account,
            account_uid=account.uid,
            seen_enabled=True,
        )
        for account in accounts
    )

    assert (cost(client, f"{url}users/?state={state}&q=contoso"), cost(client, f"{url}users/?state={state}")) == few
    assert max(few) <= 9


@pytest.mark.sqlite
@pytest.mark.parametrize(("state", "index"), [("enabled", "vault_user_enabled"), ("all", "vault_user_account_unique")])
def test_long_lists_are_read_in_the_order_of_an_index(world, client, url, state, index):
    with CaptureQueriesContext(connection) as captured:
        client.get(f"{url}users/?state={state}")
    (page,) = [query["sql"] for query in captured if query["sql"].endswith("LIMIT 51")]

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {page}")
        plan = "\n".join(row[3] for row in cursor.fetchall())

    assert f"USING INDEX {index} " in plan
    assert "ORDER BY" not in plan


def test_disabling_asks_first_on_a_page_and_in_a_dialog(world, ann, link, client, url):
    world.sweep()
    question = f"{url}users/{user_of(ann).pk}/disable/"

    assert f'href="{question}" hx-get="{question}" hx-target="#question"' in text(client.get(f"{url}users/"))
    page, part = text(client.get(question)), text(client.get(question, headers={"HX-Request": "true"}))
    assert "<html" in page
    assert "<html" not in part
    for one in (page, part):
        assert "stays disabled whatever links want" in one
        assert "Wanted by the links from Legal." in one
    assert not VaultAccess.objects.exists()


def test_a_user_is_disabled_in_the_vault_and_enabled_again(world, ann, link, client, url):
    world.sweep()
    row = f"{url}users/{user_of(ann).pk}/"

    answer = client.post(f"{row}disable/")
    assert (answer.status_code, answer["Location"]) == (303, f"{url}users/")
    page = text(client.get(f"{url}users/"))
    assert "is kept disabled in this vault." in page
    assert f'action="{row}enable/"' in page
    assert "Disabled by an admin" in page
    world.sweep(NOON + timedelta(minutes=10))
    assert world.user(ann).enabled is False

    assert client.post(f"{row}enable/").status_code == 303
    world.sweep(NOON + timedelta(minutes=20))
    assert world.user(ann).enabled is True


def test_a_user_of_another_vault_is_not_there(world, link, ann, client):
    world.sweep()
    other = make_vault(world.subscription, "Other")

    page = f"/s/{world.subscription.number}/vaults/{other.pk}/users/{user_of(ann).pk}/disable/"

    assert client.get(page).status_code == 404


def test_who_was_disabled_in_the_vault_by_a_person_can_be_enabled_here(world, ann, link, client, url):
    world.sweep()
    vault_admin.change_user(world.server, world.guid, ANN, enabled=False)
    world.sweep(NOON + timedelta(hours=7))
    page = text(client.get(f"{url}users/?state=disabled"))
    enable = f"{url}users/{user_of(ann).pk}/enable/"
    assert "A person disabled it in the vault, so it stays disabled" in page
    assert f'action="{enable}"' in page

    client.post(enable)
    world.sweep(timezone.now())

    assert world.user(ann).enabled is True
