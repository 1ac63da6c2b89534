"""Vault users: the contract, against both clients."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from licensing.clients.agent import DEFAULT_ROLES, VaultRole, each_vault_user
from licensing.vaultserver import admin
from tests.licensing.vaultserver.people import account, key, outcomes, put_people, user, wish


def put(agent, vault, *wishes):
    return outcomes(agent.put_vault_users(vault, wishes, idempotency_key=key()))


def test_a_user_is_created_with_the_default_roles_and_says_its_number(agent, vault):
    anna = account("anna")
    agent.put_login_accounts(vault, [anna], idempotency_key=key())

    (result,) = agent.put_vault_users(vault, [wish(anna)], idempotency_key=key())

    found = user(agent, vault, anna)
    assert (str(result.outcome), result.id) == ("created", found.id)
    assert (found.username, found.enabled, found.roles, found.internal) == ("anna", True, DEFAULT_ROLES, True)
    assert not found.disabled_by_person
    assert not found.deleted


def test_a_user_without_login_account_fails_alone(agent, vault):
    (anna,) = put_people(agent, vault, "anna")

    assert put(agent, vault, wish(account("nobody")), wish(anna, enabled=False)) == ["account_not_found", "disabled"]


def test_disabling_and_enabling_keep_the_number(agent, vault):
    (anna,) = put_people(agent, vault, "anna")
    number = user(agent, vault, anna).id

    assert put(agent, vault, wish(anna, enabled=False)) == ["disabled"]
    assert put(agent, vault, wish(anna, enabled=False)) == ["unchanged"]
    assert put(agent, vault, wish(anna)) == ["enabled"]
    assert user(agent, vault, anna).id == number


def test_roles_that_are_not_wished_stay_as_they_are(agent, server, vault):
    (anna,) = put_people(agent, vault, "anna")
    admin.change_user(server, vault, "anna", roles=DEFAULT_ROLES | VaultRole.MANAGE_WORKFLOWS)

    assert put(agent, vault, wish(anna)) == ["unchanged"]
    assert user(agent, vault, anna).roles & VaultRole.MANAGE_WORKFLOWS


def test_full_control_is_given_by_its_bit(agent, vault):
    (anna,) = put_people(agent, vault, "anna")

    assert put(agent, vault, wish(anna, roles=DEFAULT_ROLES | VaultRole.FULL_CONTROL)) == ["updated"]
    assert user(agent, vault, anna).roles & VaultRole.FULL_CONTROL


def test_an_external_user_has_no_internal_bit(agent, vault):
    (anna,) = put_people(agent, vault, "anna")

    assert put(agent, vault, wish(anna, internal=False)) == ["updated"]
    assert user(agent, vault, anna).roles & VaultRole.INTERNAL_USER == 0
    assert put(agent, vault, wish(anna)) == ["unchanged"]


def test_a_user_disabled_by_a_person_is_enabled_only_on_purpose(agent, server, vault):
    (anna,) = put_people(agent, vault, "anna")
    admin.change_user(server, vault, "anna", enabled=False)

    assert user(agent, vault, anna).disabled_by_person
    assert put(agent, vault, wish(anna)) == ["disabled_by_person"]
    assert put(agent, vault, wish(anna, override_person=True)) == ["enabled"]
    assert not user(agent, vault, anna).disabled_by_person


def test_disabling_whom_a_person_disabled_leaves_the_persons_mark(agent, server, vault):
    (anna,) = put_people(agent, vault, "anna")
    admin.change_user(server, vault, "anna", enabled=False)

    assert put(agent, vault, wish(anna, enabled=False)) == ["unchanged"]
    assert user(agent, vault, anna).disabled_by_person


def test_a_deleted_user_is_shown_as_such_and_undeleted_under_its_number(agent, server, vault):
    (anna,) = put_people(agent, vault, "anna")
    number = user(agent, vault, anna).id
    admin.delete_user(server, vault, "anna")

    assert user(agent, vault, anna).deleted
    assert put(agent, vault, wish(anna, enabled=False)) == ["unchanged"]
    assert put(agent, vault, wish(anna)) == ["undeleted"]
    assert (user(agent, vault, anna).id, user(agent, vault, anna).deleted) == (number, False)


def test_a_wish_built_on_an_old_look_fails(agent, server, vault):
    (anna,) = put_people(agent, vault, "anna")
    seen = user(agent, vault, anna).etag

    assert put(agent, vault, wish(anna, if_match=seen)) == ["unchanged"]
    admin.change_user(server, vault, "anna", roles=DEFAULT_ROLES | VaultRole.SEE_ALL_OBJECTS)
    assert put(agent, vault, wish(anna, enabled=False, if_match=seen)) == ["changed_meanwhile"]


def test_the_same_account_is_another_user_in_another_vault(agent, server, vault):
    other = admin.create_vault(server, name="Projects").guid
    (anna,) = put_people(agent, vault, "anna")

    assert put(agent, other, wish(anna, enabled=False)) == ["created"]
    assert user(agent, vault, anna).enabled
    assert not user(agent, other, anna).enabled


def test_users_are_listed_in_pages_by_key_while_others_arrive(agent, vault):
    first = sorted(one.uid for one in put_people(agent, vault, *"abcdef"))
    page = agent.list_vault_users(vault, limit=3)
    late = [one.uid for one in put_people(agent, vault, *"ghi")]

    rest = agent.list_vault_users(vault, limit=100, cursor=page.next_cursor)

    assert [one.key for one in page.items] == first[:3]
    assert [one.key for one in rest.items] == sorted(first[3:] + [uid for uid in late if uid > page.next_cursor])
    assert rest.next_cursor is None


def test_all_users_are_walked_through_page_by_page(agent, vault):
    accounts = put_people(agent, vault, *"abcdefg")

    walked = [one.key for one in each_vault_user(agent, vault, limit=2)]

    assert walked == sorted(one.uid for one in accounts)


def test_the_page_that_ends_exactly_at_the_last_user_says_so(agent, vault):
    put_people(agent, vault, *"abcd")

    assert agent.list_vault_users(vault, limit=4).next_cursor is None


def test_a_user_that_a_person_made_has_a_key_without_account(agent, server, vault):
    made = admin.add_user(server, vault, "guest")

    assert (made.key, made.account_uid) == (f"user:{made.id}", None)
    assert list(agent.list_vault_users(vault).items) == [made]


def test_unknown_keys_are_passed_over(agent, vault):
    (anna,) = put_people(agent, vault, "anna")

    found = agent.get_vault_users(vault, ["user:99", anna.uid, anna.uid])

    assert [one.key for one in found] == [anna.uid]


def test_many_callers_at_once_never_make_a_second_user(agent, vault):
    accounts = [account(f"user{n}") for n in range(30)]
    agent.put_login_accounts(vault, accounts, idempotency_key=key())

    with ThreadPoolExecutor(8) as pool:
        calls = [
            pool.submit(put, agent, vault, *(wish(one) for one in accounts[start:] + accounts[:start]))
            for start in range(8)
        ]

    created = [outcome for call in calls for outcome in call.result() if outcome == "created"]
    assert len(created) == len(accounts)
    assert [one.key for one in agent.list_vault_users(vault).items] == sorted(one.uid for one in accounts)


@pytest.mark.parametrize("limit", [0, 5001])
def test_a_page_has_its_limits(agent, vault, limit):
    with pytest.raises(Exception, match="1 to 5000"):
        agent.list_vault_users(vault, limit=limit)


def test_two_wishes_for_one_user_in_a_call_are_done_one_after_the_other(agent, vault):
    anna = account("anna")
    agent.put_login_accounts(vault, [anna], idempotency_key=key())

    results = agent.put_vault_users(vault, [wish(anna), wish(anna, enabled=False), wish(anna)], idempotency_key=key())

    assert outcomes(results) == ["created", "disabled", "enabled"]
    assert len({result.id for result in results}) == 1


def test_a_thousand_users_cost_no_more_statements_than_one(server, vault):
    people = [account(f"user-{number}") for number in range(1000)]

    def statements(deed):
        seen = []
        with server.store.reading() as db:
            db.set_trace_callback(seen.append)
            deed()
            db.set_trace_callback(None)
        return len([one for one in seen if not one.startswith("INSERT")])

    def put(chosen):
        server.put_login_accounts(vault, chosen, idempotency_key=key())
        server.put_vault_users(vault, [wish(one) for one in chosen], idempotency_key=key())

    assert statements(lambda: put(people[1:])) == statements(lambda: put(people[:1]))
    assert statements(lambda: server.get_vault_users(vault, [one.uid for one in people])) == 2
