"""Names and addresses that a person changed on a vault server: taken over into manual accounts, else put right."""

from datetime import timedelta

import pytest

from licensing.models import VaultUser
from licensing.reconcilers import account_comparisons
from licensing.services import choices, drift
from licensing.vaultserver import admin
from provisioning.models import AuditEntry, LoginAccount
from provisioning.services import people, server_details, vault_access
from provisioning.services.server_details import ServerDetails
from tests.factories import ACTOR, NOON, make_account, make_application, make_group, make_link, make_person, make_vault
from tests.licensing.people import READ_ONLY

ANN, BOB = "ann@contoso.example", "bob@contoso.example"
LATER = NOON + timedelta(hours=7)


@pytest.fixture
def ann(world):
    """A manual account in the vault."""
    account = make_person(world.subscription, ANN)
    give_access(world, account, world.vault)
    world.sweep()
    assert world.users() == {ANN: True}
    return account


def give_access(world, account, vault):
    wanted = {"account_ids": [account.pk], "license_type": READ_ONLY}
    choices.choose_manual(subscription=world.subscription, actor=ACTOR, at=NOON, **wanted)
    vault_access.give_access(accounts=[account], vault=vault, actor=ACTOR, at=NOON)


def on_server(world, username=ANN):
    accounts = world.server.list_login_accounts(world.guid).items
    return next((one.full_name, one.email) for one in accounts if one.username == username)


def details(world):
    return [(row.subject, row.detail, row.is_repaired) for row in drift.findings(drift.latest(world.vault)).rows]


def test_a_manual_account_takes_its_name_and_address_over(world, ann):
    admin.change_login_account(world.server, ANN, full_name="Ann Contoso", email="ann.c@contoso.example")

    world.sweep(LATER)

    ann.refresh_from_db()
    assert (ann.full_name, ann.email) == ("Ann Contoso", "ann.c@contoso.example") == on_server(world)
    assert (ann.display_name_key, ann.email_key) == ("ann contoso", "ann.c@contoso.example")
    there = "full name is “Ann Contoso” there, e-mail is “ann.c@contoso.example” there; taken over"
    assert details(world) == [(f"Ann ({ANN})", there, True)]
    entry = AuditEntry.objects.get(action="change user")
    assert (entry.actor_kind, entry.actor_name) == ("system", "Vault server of Contracts")
    assert entry.changes == {"full_name": ["Ann", "Ann Contoso"], "email": [ANN, "ann.c@contoso.example"]}


def test_other_vaults_follow(world, ann):
    other = make_vault(world.subscription, "Archive", agent_url=world.vault.agent_url)
    vault_access.give_access(accounts=[ann], vault=other, actor=ACTOR, at=NOON)
    world.sweep()
    admin.change_login_account(world.server, ANN, full_name="Ann Contoso")

    world.sweep(LATER)

    wanted = set(VaultUser.objects.filter(account=ann).values_list("wanted_profile", flat=True))
    seen = set(VaultUser.objects.filter(account=ann).values_list("seen_profile", flat=True))
    assert wanted == seen
    assert len(seen) == 1
    assert not VaultUser.objects.filter(due_at__isnull=False).exists()


def test_once_taken_over_nothing_differs_any_more(world, ann):
    admin.change_login_account(world.server, ANN, full_name="Ann Contoso")
    world.sweep(LATER)

    world.sweep(LATER + timedelta(hours=7))

    assert details(world) == []
    assert AuditEntry.objects.filter(action="change user").count() == 1


def test_a_username_is_put_right_and_the_name_beside_it_taken_over(world, ann):
    admin.change_login_account(world.server, ANN, username="annie@contoso.example", full_name="Annie")

    world.sweep(LATER)

    ann.refresh_from_db()
    assert (ann.username, ann.full_name) == (ANN, "Annie")
    assert on_server(world) == ("Annie", ANN)


def test_what_a_provider_decides_is_put_right(world):
    bob = make_account(world.configuration, BOB)
    make_link(make_group(world.configuration, "Legal", members=[bob]), world.vault)
    world.sweep()
    admin.change_login_account(world.server, BOB, full_name="Robert", enabled=False)

    world.sweep(LATER)

    assert on_server(world, BOB) == ("Bob", BOB)
    there = "full name is “Robert” there, the login account is disabled there; put right"
    assert details(world) == [(f"Bob ({BOB})", there, True)]


def test_what_was_changed_in_the_portal_meanwhile_wins(world, ann):
    admin.change_login_account(world.server, ANN, full_name="Ann of the server")
    fields = {"username": ANN, "email": ANN, "role": LoginAccount.Role.NO_ROLE, "info1": "", "info2": ""}
    people.change_person(account=ann, full_name="Ann of the portal", actor=ACTOR, at=NOON, **fields)

    world.sweep(LATER)

    ann.refresh_from_db()
    assert ann.full_name == "Ann of the portal" == on_server(world)[0]


def test_the_address_of_who_has_a_role_in_the_portal_is_put_right(world, ann):
    people.set_role(account=ann, role=LoginAccount.Role.BILLING_ADMIN, actor=ACTOR, at=NOON)
    admin.change_login_account(world.server, ANN, email="attacker@evil.example")

    world.sweep(LATER)

    ann.refresh_from_db()
    assert ann.email == ANN == on_server(world)[1]
    assert details(world) == [(f"Ann ({ANN})", "e-mail is “attacker@evil.example” there; put right", True)]


def test_what_the_portal_cannot_hold_is_put_right(world, ann):
    admin.change_login_account(world.server, ANN, email="no address")

    world.sweep(LATER)

    assert on_server(world) == ("Ann", ANN)


def test_an_emptied_name_is_taken_over_and_said_so(world, ann):
    admin.change_login_account(world.server, ANN, email="")

    world.sweep(LATER)

    ann.refresh_from_db()
    assert ann.email == ""
    assert details(world) == [(f"Ann ({ANN})", "e-mail is empty there; taken over", True)]


def test_an_account_that_was_changed_between_the_look_and_the_deed_is_left_alone(world, ann):
    stale = ServerDetails(LoginAccount.objects.get(pk=ann.pk), "Ann Contoso", ANN)
    LoginAccount.objects.filter(pk=ann.pk).update(full_name="Ann New")

    assert server_details.take_over_details(vault=world.vault, details=[stale], at=NOON) == set()
    assert LoginAccount.objects.get(pk=ann.pk).full_name == "Ann New"


def test_an_application_account_keeps_what_the_portal_says(world):
    application = make_application(world.subscription)

    assert not ServerDetails(application, "Robot", "").may_be_taken()


def test_a_crash_between_the_deed_and_its_record_does_no_harm(world, ann, monkeypatch):
    admin.change_login_account(world.server, ANN, full_name="Ann Contoso")
    with monkeypatch.context() as patch:
        patch.setattr(account_comparisons, "_record", crash)
        with pytest.raises(KeyboardInterrupt):
            world.sweep(LATER)

    world.sweep(LATER + timedelta(minutes=1))

    assert LoginAccount.objects.get(pk=ann.pk).full_name == "Ann Contoso" == on_server(world)[0]
    assert AuditEntry.objects.filter(action="change user").count() == 1
    assert VaultUser.objects.get().due_at is None


def crash(*_):
    raise KeyboardInterrupt
