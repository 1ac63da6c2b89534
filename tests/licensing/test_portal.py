"""What licensing shows in the portal: columns, fragments, notices, previews."""

from datetime import timedelta

import pytest
from django.test import Client

from licensing import portal
from licensing.models import VaultUser
from licensing.services import overview, previews
from licensing.services.differences import differences
from licensing.vaultserver import admin
from licensing.vaultserver.faults import Faults
from licensing.views import previewing
from provisioning.columns import Cell
from provisioning.models import GroupLink, LoginAccount, Subscription
from tests.factories import NOON, make_account, make_admin, make_configuration, make_group, make_link, make_subscription
from tests.licensing.people import CONCURRENT, NAMED, NONE, READ_ONLY, change_members, purchase, reconcile, remove_group

ANN, BOB = "ann@contoso.example", "bob@contoso.example"


@pytest.fixture
def ann(world):
    return make_account(world.configuration, ANN)


@pytest.fixture
def group(world, ann):
    return make_group(world.configuration, "Legal", members=[ann, make_account(world.configuration, BOB)])


@pytest.fixture
def link(world, group):
    return make_link(group, world.vault, "Lawyers")


def signed_in(subscription, role=LoginAccount.Role.SUBSCRIPTION_ADMIN):
    client = Client()
    user = make_admin(subscription, role=role).user
    assert user is not None
    client.force_login(user)
    return client


def page(client, subscription, path):
    return client.get(f"/licensing/{subscription.number}/fragments/{path}", secure=True)


def test_the_license_column_shows_what_each_has_and_waits_for(world, ann, django_assert_num_queries):
    bob = make_account(world.configuration)
    make_group(world.configuration, members=[bob], license_type=NAMED)
    world.sweep()

    with django_assert_num_queries(1):
        cells = portal.license_cells([ann.pk, bob.pk])

    assert cells == {ann.pk: Cell("Read only", "good"), bob.pk: Cell("No license", "waiting", "Waits for Named")}


def test_the_vaults_column_counts_where_each_is_enabled(world, ann, link, django_assert_num_queries):
    world.sweep()
    other = make_account(world.configuration)

    with django_assert_num_queries(1):
        assert portal.vault_count_cells([ann.pk, other.pk]) == {ann.pk: Cell("1", "quiet")}


def test_a_link_is_pending_synchronizing_and_in_sync(world, link, django_assert_num_queries):
    assert portal.link_cells([link.pk]) == {link.pk: Cell("Pending", "waiting")}

    world.sweep()
    with django_assert_num_queries(1):
        assert portal.link_cells([link.pk]) == {link.pk: Cell("In sync", "good")}

    change_members(link.group, add=[make_account(world.configuration)])
    reconcile(world.subscription)
    assert portal.link_cells([link.pk]) == {link.pk: Cell("Synchronizing 2 of 3", "waiting")}


def test_a_link_says_in_words_that_its_vault_is_down_and_recovers(world, link):
    world.server.faults.general = Faults(down=True)
    world.sweep()

    sentence = "The vault server is switched off. It is tried again by itself."
    assert portal.link_cells([link.pk])[link.pk] == Cell("Needs attention 0 of 2", "problem", sentence)

    world.server.faults.general = Faults()
    world.sweep(NOON + timedelta(minutes=1))
    assert portal.link_cells([link.pk])[link.pk] == Cell("In sync", "good")


def test_a_link_says_that_user_synchronization_is_on(world, link):
    world.sweep()
    admin.change_vault(world.server, world.guid, user_synchronization=True)
    world.sweep(NOON + timedelta(minutes=10))

    cell = portal.link_cells([link.pk])[link.pk]

    assert (cell.text, cell.tone) == ("Needs attention", "problem")
    assert "Turn it off in M-Files Admin." in cell.detail


def test_a_link_says_who_was_refused(world, link):
    world.server.faults.general = Faults(refuse=frozenset({ANN}))
    world.sweep()

    cell = portal.link_cells([link.pk])[link.pk]

    assert cell.text == "Needs attention 1 of 2"
    assert cell.detail == "1 vault user was refused: The vault server does not accept this user."


@pytest.mark.parametrize(("what", "text"), [("paused", "Paused"), ("deleted", "Source deleted")])
def test_a_link_says_that_it_is_paused_or_its_source_is_gone(world, link, what, text):
    if what == "paused":
        GroupLink.objects.filter(pk=link.pk).update(paused_at=NOON)
    else:
        remove_group(link.group)

    assert portal.link_cells([link.pk])[link.pk].text == text


def test_the_vaults_list_says_how_keeping_in_step_goes(world):
    world.server.faults.general = Faults(down=True)
    world.sweep()

    cell = portal.vault_cells([world.vault.pk])[world.vault.pk]

    assert (cell.text, cell.tone, cell.detail) == ("Retrying", "waiting", "The vault server is switched off.")


def test_home_shows_every_pool(world, ann):
    purchase(world.subscription, named=7)
    world.sweep()

    content = page(signed_in(world.subscription), world.subscription, "home/").content.decode()

    assert "Licenses" in content
    rows = {
        pool.license_type: (pool.free, pool.in_use, pool.waiting, pool.total)
        for pool in overview.pools(world.subscription)
    }
    assert rows == {NAMED: (7, 0, 0, 7), CONCURRENT: (None, 0, 0, 0), READ_ONLY: (19, 1, 0, 20)}
    assert all(label in content for label in ("Named", "Concurrent", "Read only"))


def test_home_says_what_needs_attention(world, group):
    world.sweep()
    purchase(world.subscription, read_only=1)
    make_group(world.configuration, members=list(group.accounts.all()), license_type=NAMED)
    world.server.faults.general = Faults(down=True)
    world.sweep(NOON + timedelta(minutes=10))

    found = list(portal.notices(world.subscription))

    assert [notice.text for notice in found] == [
        "2 of 1 licenses in use",
        "2 users wait for a Named license.",
        "Read only: 1 more granted than purchased, so no further license is granted.",
        "Vault Contracts: The vault server is switched off.",
    ]
    assert {notice.url for notice in found[:3]} == {f"/s/{world.subscription.number}/licenses/"}


def test_a_users_page_says_why_and_where(world, ann, link):
    client = signed_in(world.subscription, LoginAccount.Role.ACCESS_ADMIN)
    world.sweep()

    license_ = page(client, world.subscription, f"account/{ann.pk}/").content.decode()
    vaults = page(client, world.subscription, f"account-vaults/{ann.pk}/").content.decode()

    assert "Read only, the default of " in license_
    assert "Contracts" in vaults
    assert "Lawyers" in vaults
    assert "Linked from group Legal" in vaults


def test_a_users_page_before_the_workers_came(world, ann):
    client = signed_in(world.subscription)

    assert "Not yet looked at." in page(client, world.subscription, f"account/{ann.pk}/").content.decode()
    assert "In no vault." in page(client, world.subscription, f"account-vaults/{ann.pk}/").content.decode()


def test_strangers_and_other_subscriptions_users_are_not_there(world, ann):
    own, stranger = signed_in(world.subscription), signed_in(make_subscription())

    assert page(stranger, world.subscription, f"account/{ann.pk}/").status_code == 404
    assert page(own, world.subscription, "account/0/").status_code == 404
    assert page(Client(), world.subscription, "home/").status_code == 302


@pytest.mark.parametrize(("role", "status"), [("BILLING_ADMIN", 404), ("ACCESS_ADMIN", 200)])
def test_the_preview_of_a_group_is_provisioning(world, group, role, status):
    client = signed_in(world.subscription, LoginAccount.Role[role])

    assert page(client, world.subscription, f"group-license/{group.pk}/?license_type=3").status_code == status


def test_the_preview_of_a_group_lists_who_gains_and_waits(world, group):
    purchase(world.subscription, named=1)
    world.sweep()
    client = signed_in(world.subscription)

    content = page(client, world.subscription, f"group-license/{group.pk}/?license_type=3").content.decode()
    assert "Read only → Named" in content
    assert "waits for Named" in content
    content = page(client, world.subscription, f"group-license/{group.pk}/?license_type=").content.decode()
    assert "license changes" in content
    assert page(client, world.subscription, f"group-license/{group.pk}/?license_type=9").status_code == 404


def test_the_preview_of_a_group_leads_on_page_by_page(world, group, monkeypatch):
    monkeypatch.setattr(previewing, "SHOWN", 1)
    purchase(world.subscription, named=2)
    world.sweep()
    client = signed_in(world.subscription)

    def shown(more=""):
        return page(client, world.subscription, f"group-license/{group.pk}/?license_type=3{more}").content.decode()

    pages = [shown(), shown("&page=2"), shown("&page=3")]
    assert [(ANN in one, BOB in one) for one in pages] == [(True, False), (False, True), (False, False)]
    assert "?license_type=3&amp;page=2" in pages[0]
    assert "Previous page" not in pages[0]
    assert "?license_type=3&amp;page=1" in pages[1]
    assert "Next page" not in pages[1]
    assert "The list ends before this page." in pages[2]
    for nonsense in ("0", "-1", "two", "1e3", "99999999", "%00"):
        assert shown(f"&page={nonsense}").replace(f"page={nonsense}", "") == pages[0]


def test_a_preview_counts_those_who_come_to_vaults_and_leave_them(db, vault_link):
    subscription = make_subscription()
    purchase(subscription, named=1)
    configuration = make_configuration(subscription, default_license_type=NONE)
    account = make_account(configuration)
    group = make_group(configuration, members=[account])
    vault_link(group)
    reconcile(subscription)

    preview = previews.group_license(group=group, license_type=NAMED, at=NOON)

    assert (preview["gain"], preview["created_vault_users"], preview["wait"]) == (1, 1, 0)
    assert preview["accounts"] == [{"username": account.username, "effect": "No license → Named"}]


def test_the_vendors_policy_holds_in_a_preview_too(db):
    subscription = make_subscription()
    purchase(subscription, named=1)
    configuration = make_configuration(subscription, default_license_type=READ_ONLY)
    first, second = make_account(configuration, "a"), make_account(configuration, "b")
    high = make_group(configuration, members=[first], license_type=NAMED)
    make_group(configuration, members=[second], license_type=NAMED)
    reconcile(subscription)
    Subscription.objects.filter(pk=subscription.pk).update(fill_policy="on_purchase")
    high.refresh_from_db()

    preview = previews.group_license(group=high, license_type=None, at=NOON)

    assert (preview["gain"], preview["lose"], preview["wait"]) == (0, 0, 1)


def test_the_preview_of_a_link_lists_everybody_concerned(world, group, ann):
    purchase(world.subscription, read_only=1)
    world.sweep()
    target = admin.add_group(world.server, world.guid, "Lawyers")
    eve = admin.add_user(world.server, world.guid, "eve")
    admin.change_members(world.server, world.guid, target.id, add=[eve.key])
    world.sweep(NOON + timedelta(minutes=10))

    preview = previews.link(group=group, vault=world.vault, target_name="lawyers", mode=GroupLink.Mode.REPLACE)

    assert preview == {
        "gain": 1,
        "lose": 0,
        "wait": 1,
        "removed_members": 1,
        "created_vault_users": 1,
        "accounts": [
            {"username": ANN, "effect": "becomes a vault user"},
            {"username": BOB, "effect": "waits for a license"},
            {"username": "eve", "effect": "leaves the target group"},
        ],
    }
    merged = previews.link(group=group, vault=world.vault, target_name="Lawyers", mode=GroupLink.Mode.MERGE)
    assert merged["removed_members"] == 0

    world.server.faults.general = Faults(down=True)
    with pytest.raises(previews.PreviewUnavailable, match="Contracts"):
        previews.link(group=group, vault=world.vault, target_name="Lawyers", mode=GroupLink.Mode.REPLACE)


def test_differences_are_counted_until_all_is_in_line(world, link):
    assert differences(subscription=world.subscription, now=NOON) == {"accounts": 2, "links": 1}
    reconcile(world.subscription)
    assert differences(subscription=world.subscription, now=NOON) == {"vault_users": 2, "members": 2, "links": 1}
    world.sweep()
    assert differences(subscription=world.subscription, now=NOON) == {}

    VaultUser.objects.update(state="stalled")
    assert differences(subscription=world.subscription, now=NOON) == {"vault_users": 2}
    purchase(world.subscription, named=1)
    assert differences(subscription=world.subscription, now=NOON)["subscription"] == 1
