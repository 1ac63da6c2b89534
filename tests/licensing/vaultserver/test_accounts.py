"""Login accounts: the contract, against both clients."""

import uuid
from dataclasses import replace

import pytest

from licensing.clients.agent import AgentRefused, LoginAccount
from licensing.vaultserver import admin
from provisioning.license_types import LicenseType
from tests.licensing.vaultserver.people import account, key, outcomes, put_people, user, wish


def put(agent, vault, *accounts):
    return outcomes(agent.put_login_accounts(vault, accounts, idempotency_key=key()))


def listed(agent, vault):
    return list(agent.list_login_accounts(vault).items)


def test_a_new_account_is_created_with_every_field(agent, vault):
    anna = account("Anna@contoso.com", full_name="Anna Ahlström", email="anna@contoso.com", enabled=False)

    assert put(agent, vault, anna) == ["created"]
    assert listed(agent, vault) == [anna]


def test_the_same_account_again_is_unchanged(agent, vault):
    anna = account("anna")
    put(agent, vault, anna)

    assert put(agent, vault, anna) == ["unchanged"]


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"full_name": "Anna B"}, "updated"),
        ({"email": "b@contoso.com"}, "updated"),
        ({"license_type": LicenseType.READ_ONLY}, "updated"),
        ({"enabled": False}, "disabled"),
    ],
)
def test_a_changed_field_is_taken_over(agent, vault, change, outcome):
    anna = account("anna")
    put(agent, vault, anna)

    assert put(agent, vault, replace(anna, **change)) == [outcome]
    assert listed(agent, vault) == [replace(anna, **change)]


def test_a_rename_is_followed_by_the_vault_users_and_makes_no_second_account(agent, vault):
    (anna,) = put_people(agent, vault, "anna")
    before = user(agent, vault, anna)

    assert put(agent, vault, replace(anna, username="anna.b")) == ["updated"]
    assert [one.username for one in listed(agent, vault)] == ["anna.b"]
    assert user(agent, vault, anna) == replace(before, username="anna.b", etag=user(agent, vault, anna).etag)


def test_a_rename_in_case_only_is_a_rename(agent, vault):
    anna = account("anna")
    put(agent, vault, anna)

    assert put(agent, vault, replace(anna, username="Anna")) == ["updated"]
    assert [one.username for one in listed(agent, vault)] == ["Anna"]


def test_two_accounts_swap_their_names_in_one_call(agent, vault):
    anna, bert = account("anna"), account("bert")
    put(agent, vault, anna, bert)

    assert put(agent, vault, replace(anna, username="bert"), replace(bert, username="anna")) == ["updated"] * 2
    assert {one.uid: one.username for one in listed(agent, vault)} == {anna.uid: "bert", bert.uid: "anna"}


def test_a_name_passed_on_in_the_same_call_is_free_for_its_new_owner(agent, vault):
    anna, bert = account("anna"), account("bert")
    put(agent, vault, anna)

    assert put(agent, vault, replace(bert, username="anna"), replace(anna, username="anna.b")) == [
        "created",
        "updated",
    ]


def test_a_taken_username_fails_alone_and_without_regard_to_case(agent, vault):
    put(agent, vault, account("anna"))

    assert put(agent, vault, account("ANNA"), account("bert")) == ["username_taken", "created"]


def test_who_depends_on_a_rename_that_fails_fails_too(agent, vault):
    anna, bert = account("anna"), account("bert")
    put(agent, vault, anna, bert, account("carl"))

    renames = [replace(anna, username="bert"), replace(bert, username="carl")]

    assert put(agent, vault, *renames) == ["username_taken"] * 2
    assert {one.username for one in listed(agent, vault)} == {"anna", "bert", "carl"}


def test_one_name_is_given_once_in_a_call(agent, vault):
    assert put(agent, vault, account("anna"), account("anna")) == ["created", "username_taken"]


def test_an_account_that_a_person_made_is_taken_over_with_its_vault_users_and_memberships(agent, server, vault):
    admin.add_login_account(server, LoginAccount(uid=None, username="Anna"))
    found = admin.add_user(server, vault, "anna")
    group = agent.ensure_group(vault, "Legal", idempotency_key=key())
    agent.change_group_members(vault, group.id, add=[found.key], idempotency_key=key())
    anna = account("anna")

    assert put(agent, vault, anna) == ["updated"]
    assert user(agent, vault, anna).id == found.id
    assert user(agent, vault, found.key) is None
    assert [one.key for one in agent.list_group_members(vault, group.id).items] == [anna.uid]


def test_an_account_that_has_a_uid_cannot_take_over_another_one(agent, server, vault):
    admin.add_login_account(server, LoginAccount(uid=None, username="anna"))
    bert = account("bert")
    put(agent, vault, bert)

    assert put(agent, vault, replace(bert, username="anna")) == ["username_taken"]


def test_removing_an_account_detaches_its_vault_users(agent, vault):
    (anna,) = put_people(agent, vault, "anna")

    results = agent.remove_login_accounts(vault, [anna.uid, str(uuid.uuid4())], idempotency_key=key())

    assert outcomes(results) == ["removed", "unchanged"]
    assert listed(agent, vault) == []
    assert user(agent, vault, anna).username is None


def test_a_detached_user_is_attached_again_when_its_account_comes_back(agent, vault):
    (anna,) = put_people(agent, vault, "anna")
    agent.remove_login_accounts(vault, [anna.uid], idempotency_key=key())
    put(agent, vault, anna)

    results = agent.put_vault_users(vault, [wish(anna)], idempotency_key=key())

    assert outcomes(results) == ["updated"]
    assert user(agent, vault, anna).username == "anna"


def test_accounts_are_listed_in_pages_by_uid_and_those_without_one_last(agent, server, vault):
    accounts = sorted((account(f"user{n}") for n in range(5)), key=lambda one: one.uid)
    put(agent, vault, *reversed(accounts))
    admin.add_login_account(server, LoginAccount(uid=None, username="Zoe"))
    admin.add_login_account(server, LoginAccount(uid=None, username="adam"))

    first = agent.list_login_accounts(vault, limit=4)
    second = agent.list_login_accounts(vault, limit=4, cursor=first.next_cursor)

    assert list(first.items) == accounts[:4]
    assert [one.username for one in second.items] == [accounts[4].username, "adam", "Zoe"]
    assert second.next_cursor is None


@pytest.mark.parametrize(
    "wrong",
    [LoginAccount(uid=None, username="anna"), LoginAccount(uid="17", username="anna"), account(" ")],
    ids=["no uid", "uid is no UUID", "no name"],
)
def test_an_account_without_uid_or_name_refuses_the_call(agent, vault, wrong):
    with pytest.raises(AgentRefused) as refusal:
        put(agent, vault, wrong, account("bert"))

    assert refusal.value.code == "invalid_request"
    assert listed(agent, vault) == []


def test_the_same_uid_twice_refuses_the_call(agent, vault):
    anna = account("anna")

    with pytest.raises(AgentRefused, match="its own uid"):
        put(agent, vault, anna, replace(anna, username="bert"))
