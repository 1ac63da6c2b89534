"""Vault access on the pages of users and application accounts, and the page that decides about it."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from licensing.clients.agent import VaultRole
from licensing.models import VaultUser
from licensing.services import account_vaults, choices
from licensing.services.explanations import explain
from licensing.services.timeline import steps
from provisioning.models import AuditEntry, LoginAccount, VaultAccess
from provisioning.services import vault_access
from tests.factories import (
    ACTOR,
    NOON,
    make_account,
    make_admin,
    make_application,
    make_group,
    make_link,
    make_subscription,
    make_vault,
)
from tests.licensing.people import READ_ONLY, disable, reconcile, remove

ANN = "ann@contoso.example"
FULL, SOME = int(VaultRole.FULL_CONTROL), int(VaultRole.SEE_ALL_OBJECTS)


@pytest.fixture
def ann(world):
    return make_account(world.configuration, ANN, full_name="Ann Berg")


@pytest.fixture
def client(world):
    return signed_in(world.subscription)


def signed_in(subscription, role=LoginAccount.Role.ACCESS_ADMIN):
    client = Client()
    client.force_login(make_admin(subscription, role=role).user)
    return client


def text(answer):
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def page(client, world, account, kind="users"):
    return text(client.get(f"/s/{world.subscription.number}/{kind}/{account.pk}/", secure=True))


def place_url(world, account, vault=None):
    return f"/s/{world.subscription.number}/vaults/{(vault or world.vault).pk}/accounts/{account.pk}/"


def decide(client, world, account, deed, vault=None):
    return text(client.post(place_url(world, account, vault), {"deed": deed}, secure=True, follow=True))


def give(client, world, account, vault):
    url = f"/s/{world.subscription.number}/licenses/accounts/{account.pk}/vaults/"
    return text(client.post(url, {"vault": vault}, secure=True, follow=True))


def link(world, *members, name="Legal", target="Lawyers"):
    return make_link(make_group(world.configuration, name, members=members), world.vault, target)


def place(account, vault):
    return account_vaults.in_vault(account, vault)


def decision(account):
    return list(VaultAccess.objects.filter(account=account).values_list("access", "full_control"))


def roles_in_the_vault(world, account, roles):
    """Let a person give admin rights in the vault, as the portal saw it last."""
    VaultUser.objects.filter(account=account).update(seen_roles=roles)


def test_a_vault_by_links_shows_state_reason_groups_rights_and_access(world, client, ann):
    link(world, ann)
    world.sweep()

    shown = page(client, world, ann)

    assert "Vault access" in shown
    for fact in (
        "Linked from group Legal.",
        "<dt>Admin rights in this vault</dt><dd>No admin rights</dd>",
        "<dt>Access</dt><dd>By links</dd>",
        "<dt>User groups</dt><dd>Lawyers</dd>",
    ):
        assert fact in shown
    assert place_url(world, ann) in shown


def test_access_is_given_and_the_vault_user_comes_with_the_license(world, client, ann):
    choices.pin(subscription=world.subscription, account_ids=[ann.pk], license_type=0, actor=ACTOR, at=NOON)
    world.sweep()
    assert "In no vault." in page(client, world, ann)

    shown = give(client, world, ann, world.vault.pk)

    assert "Access to Contracts is given." in shown
    assert "An admin gave access, which takes an enabled account with a license." in shown
    assert "<dd>Given by an admin" in shown
    assert "Give access to a vault" not in shown
    world.sweep()
    assert world.users() == {}
    choices.pin(subscription=world.subscription, account_ids=[ann.pk], license_type=None, actor=ACTOR, at=NOON)
    world.sweep()
    assert world.users() == {ANN: True}
    assert "Given by an admin." in page(client, world, ann)


def test_taking_access_says_what_stays_and_links_keep_it(world, client, ann):
    give(client, world, ann, world.vault.pk)
    world.sweep()
    alone = text(client.get(place_url(world, ann), secure=True))
    assert "No link gives access, so the vault user is disabled; it is not deleted." in alone
    link(world, ann)
    world.sweep()
    linked = text(client.get(place_url(world, ann), secure=True))
    assert "Links from Legal still give access, so the vault user stays enabled." in linked

    assert "The access to Contracts that an admin gave is taken away." in decide(client, world, ann, "take")

    world.sweep()
    assert (world.users(), decision(ann)) == ({ANN: True}, [])
    assert place(ann, world.vault).access == "By links"


def test_a_user_is_disabled_and_enabled_in_one_vault_alone(world, client, ann):
    link(world, ann)
    world.sweep()

    shown = decide(client, world, ann, "disable")
    assert "Disabled in Contracts." in shown
    assert "An admin disabled it in this vault; the change is on its way." in shown
    world.sweep()
    assert world.users() == {ANN: False}
    asked = text(client.get(place_url(world, ann), secure=True))
    assert ("Enable in this vault" in asked, "Disable in this vault" in asked) == (True, False)

    decide(client, world, ann, "enable")
    world.sweep()
    assert (world.users(), decision(ann)) == ({ANN: True}, [])


def test_who_was_disabled_in_the_vault_is_enabled_from_here(world, client, ann):
    link(world, ann)
    world.sweep()
    VaultUser.objects.update(seen_enabled=False, disabled_by="person")

    asked = text(client.get(place_url(world, ann), secure=True))

    assert "A person disabled the account in the vault" in asked
    assert all(f'value="{deed}"' in asked for deed in ("enable", "disable", "give", "full_control"))


def test_full_control_is_given_and_taken_and_other_rights_are_left_alone(world, client, ann):
    link(world, ann)
    world.sweep()
    roles_in_the_vault(world, ann, SOME)
    assert "<dd>Partial admin rights</dd>" in page(client, world, ann)
    asked = text(client.get(place_url(world, ann), secure=True))
    assert "Other admin rights stay as they are." in asked

    shown = decide(client, world, ann, "full_control")
    assert "<dd>Full control of vault, once the vault has changed it</dd>" in shown
    world.sweep()
    assert place(ann, world.vault).rights == "Full control of vault"
    roles_in_the_vault(world, ann, FULL | SOME)
    asked = text(client.get(place_url(world, ann), secure=True))
    assert "Taking full control away leaves all other admin rights as they are" in asked

    shown = decide(client, world, ann, "no_full_control")
    assert "<dd>Partial admin rights, once the vault has changed it</dd>" in shown
    assert decision(ann) == [("by_links", False)]
    decide(client, world, ann, "own_full_control")
    assert decision(ann) == []
    acts = AuditEntry.objects.filter(action="set full control of vault")
    assert acts.count() == 3


def test_the_same_section_stands_on_an_application_accounts_page(world, client):
    scanner = make_application(world.subscription, "scanner", name="Scanner")
    choices.choose_manual(
        subscription=world.subscription, account_ids=[scanner.pk], license_type=READ_ONLY, actor=ACTOR, at=NOON
    )
    assert "An admin gives it access to vaults here." in page(client, world, scanner, "applications")

    assert "Access to Contracts is given." in give(client, world, scanner, world.vault.pk)
    world.sweep()

    assert world.users() == {"scanner": True}
    shown = page(client, world, scanner, "applications")
    assert "Given by an admin." in shown
    asked = client.get(place_url(world, scanner), secure=True)
    assert f"/s/{world.subscription.number}/applications/{scanner.pk}/" in text(asked)


def test_who_may_not_change_vault_rights_sees_only(world, ann):
    link(world, ann)
    make_vault(world.subscription, "Archive")
    world.sweep()
    billing = signed_in(world.subscription, LoginAccount.Role.BILLING_ADMIN)

    shown = page(billing, world, ann)

    assert "<dt>Admin rights in this vault</dt><dd>No admin rights</dd>" in shown
    assert (place_url(world, ann) in shown, "Give access" in shown) == (False, False)
    for answer in (
        billing.get(place_url(world, ann), secure=True),
        billing.post(place_url(world, ann), {"deed": "disable"}, secure=True),
        billing.post(f"/s/{world.subscription.number}/licenses/accounts/{ann.pk}/vaults/", {"vault": 1}, secure=True),
    ):
        assert answer.status_code == 404
    assert decision(ann) == []


def test_strangers_and_other_subscriptions_vaults_are_not_found(world, client, ann):
    other = make_vault(make_subscription(), "Foreign")

    assert client.get(place_url(world, ann, other), secure=True).status_code == 404
    assert client.post(place_url(world, ann, other), {"deed": "give"}, secure=True).status_code == 404
    assert "Choose the vault to give access to." in give(client, world, ann, other.pk)
    for word in ("", "x", "9" * 30):
        assert "Choose the vault to give access to." in give(client, world, ann, word)
    assert not VaultAccess.objects.exists()


def test_what_is_no_deed_or_done_already_changes_nothing(world, client, ann):
    assert "Press one of the buttons." in decide(client, world, ann, "explode")
    assert "That was so already." in decide(client, world, ann, "take")
    assert not VaultAccess.objects.exists()


def test_who_was_removed_gets_no_access_and_is_told_so(world, client, ann):
    remove(ann)

    assert "Give access" not in page(client, world, ann)
    assert f"“{ANN}” was removed by the identity provider." in give(client, world, ann, world.vault.pk)
    assert not VaultAccess.objects.exists()


def test_the_renewed_part_holds_no_form(world, client, ann):
    """A form that somebody has open is outside of the part that htmx swaps."""
    link(world, ann)
    make_vault(world.subscription, "Archive")
    world.sweep()
    url = f"/licensing/{world.subscription.number}/fragments/account-vaults/{ann.pk}/"

    shown = text(client.get(url, secure=True))

    part, after = shown.split('id="vault-places"')[1].split("<form", 1)
    assert ("Contracts" in part, "<form" in part) == (True, False)
    assert part.count("<div") + 1 == part.count("</div>")
    assert "Archive" in after


def test_the_timeline_tells_what_admins_decided_and_when(world, ann):
    vault_access.give_access(accounts=[ann], vault=world.vault, actor=ACTOR, at=NOON)
    disable(ann)
    waiting = {step.title: step for step in steps(ann, now=NOON)}["Vault Contracts"]
    assert (waiting.state, waiting.at) == ("pending", NOON)
    assert waiting.detail == "An admin gave access, which takes an enabled account with a license."

    ann.refresh_from_db()
    vault_access.block(accounts=[ann], vault=world.vault, actor=ACTOR, at=NOON)
    vault_access.set_full_control(accounts=[ann], vault=world.vault, full_control=True, actor=ACTOR, at=NOON)
    blocked = {step.title: step for step in steps(ann, now=NOON)}["Vault Contracts"]
    assert blocked.detail == "An admin disabled it in this vault. Full control of vault, with the vault user."


def test_explain_tells_of_manual_access_in_the_same_shape(world, ann):
    vault_access.give_access(accounts=[ann], vault=world.vault, actor=ACTOR, at=NOON)
    reconcile(world.subscription)
    world.sweep()

    assert explain(account=ann, now=NOON)["vaults"] == [
        {"vault": "Contracts", "state": "enabled", "groups": [], "why": "Given by an admin"}
    ]


def test_the_section_costs_the_same_for_many_vaults(world, client, ann):
    url = f"/licensing/{world.subscription.number}/fragments/account-vaults/{ann.pk}/"

    def cost():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url, secure=True).status_code == 200
        return len(captured)

    link(world, ann)
    world.sweep()
    cost()
    few = cost()
    for number in range(6):
        vault = make_vault(world.subscription, f"Vault {number}")
        make_link(make_group(world.configuration, members=[ann]), vault)
        vault_access.give_access(accounts=[ann], vault=vault, actor=ACTOR, at=NOON)
    world.sweep()

    assert cost() == few <= 4 + 5
