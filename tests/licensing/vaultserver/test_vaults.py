"""Vaults, repeated calls and limits: the contract, against both clients."""

import uuid

import pytest

from licensing.clients.agent import (
    CONTRACT_VERSION,
    MAX_ITEMS,
    AgentRefused,
    AgentUnavailable,
    Figures,
    LoginAccount,
    Sessions,
    VaultUserWish,
)
from licensing.vaultserver import admin
from licensing.vaultserver.core import KEYS_REMEMBERED_FOR, VaultServer
from tests.licensing.vaultserver.people import account, key, outcomes, put_people, user, wish


def test_the_server_says_which_versions_it_speaks(agent):
    assert agent.get_server().contract_versions == (CONTRACT_VERSION,)


def test_a_vault_is_made_once_under_the_given_guid(agent):
    guid = str(uuid.uuid4())
    made = agent.create_vault(guid, name="Projects", idempotency_key=key())

    again = agent.create_vault(guid, name="Another name", idempotency_key=key())

    assert again == made
    assert agent.list_vaults() == (made,)
    assert (made.name, made.online, made.user_synchronization) == ("Projects", True, False)


@pytest.mark.parametrize("guid", ["C840BE1A-5B47-4AC0-8EF7-835C166C8E24", "{c840be1a}", "projects"])
def test_a_guid_is_written_in_one_way(agent, guid):
    with pytest.raises(AgentRefused, match="lower-case GUID"):
        agent.create_vault(guid, name="Projects", idempotency_key=key())


def test_flags_figures_and_sessions_are_reported_even_offline(agent, server, vault):
    admin.change_vault(
        server,
        vault,
        name="Archive",
        online=False,
        user_synchronization=True,
        figures=Figures(objects=7, versions=9, storage_bytes=2**40, database_bytes=5),
        sessions=Sessions(named=3, concurrent=2, read_only=1),
    )

    info = agent.get_vault(vault)

    assert (info.name, info.online, info.user_synchronization) == ("Archive", False, True)
    assert info.figures == Figures(objects=7, versions=9, storage_bytes=2**40, database_bytes=5)
    assert info.sessions == Sessions(named=3, concurrent=2, read_only=1)


def calls_about(agent, vault):
    return {
        "list accounts": lambda: agent.list_login_accounts(vault),
        "list users": lambda: agent.list_vault_users(vault),
        "get users": lambda: agent.get_vault_users(vault, ["x"]),
        "list groups": lambda: agent.list_groups(vault),
        "list members": lambda: agent.list_group_members(vault, 1),
        "put users": lambda: agent.put_vault_users(vault, [wish(account("x"))], idempotency_key=key()),
        "ensure group": lambda: agent.ensure_group(vault, "x", idempotency_key=key()),
        "change group": lambda: agent.change_group(vault, 101, visible=False, idempotency_key=key()),
        "change members": lambda: agent.change_group_members(vault, 1, add=["x"], idempotency_key=key()),
    }


def test_an_unknown_vault_is_refused_by_every_call(agent):
    calls = calls_about(agent, str(uuid.uuid4())) | {"get vault": lambda: agent.get_vault("{nonsense} %2F ?#")}
    for call in calls.values():
        with pytest.raises(AgentRefused) as refusal:
            call()
        assert refusal.value.code == "vault_not_found"


def test_an_offline_vault_is_unavailable_with_its_name(agent, server, vault):
    admin.change_vault(server, vault, online=False)

    for call in calls_about(agent, vault).values():
        with pytest.raises(AgentUnavailable, match="Vault Contracts is offline"):
            call()


def test_nothing_is_written_to_a_vault_with_user_synchronization_on(agent, server, vault):
    (anna,) = put_people(agent, vault, "anna")
    admin.change_vault(server, vault, user_synchronization=True)
    calls = calls_about(agent, vault)
    before = agent.get_vault(vault).revision

    for name in ("put users", "ensure group", "change group", "change members"):
        with pytest.raises(AgentRefused) as refusal:
            calls[name]()
        assert (refusal.value.code, refusal.value.retryable) == ("user_synchronization_on", False)

    assert agent.get_vault(vault).revision == before
    assert user(agent, vault, anna).enabled


def test_a_repeated_key_gets_the_first_answer_and_has_no_second_effect(agent, server, vault):
    (anna,) = put_people(agent, vault, "anna")
    again = key()
    first = agent.put_vault_users(vault, [wish(anna, enabled=False)], idempotency_key=again)
    admin.change_user(server, vault, "anna", enabled=True)

    second = agent.put_vault_users(vault, [wish(anna, enabled=False)], idempotency_key=again)

    assert second == first
    assert outcomes(second) == ["disabled"]
    assert user(agent, vault, anna).enabled


def test_a_failed_item_is_remembered_with_its_error(agent, vault):
    again, stranger = key(), wish(account("nobody"))

    first = agent.put_vault_users(vault, [stranger], idempotency_key=again)

    assert agent.put_vault_users(vault, [stranger], idempotency_key=again) == first


def test_a_key_used_for_another_request_is_refused(agent, vault):
    again = key()
    agent.ensure_group(vault, "Legal", idempotency_key=again)

    with pytest.raises(AgentRefused) as refusal:
        agent.ensure_group(vault, "Finance", idempotency_key=again)

    assert refusal.value.code == "idempotency_key_reused"


def test_a_call_that_changes_something_needs_a_key(agent, vault):
    with pytest.raises(AgentRefused, match="idempotency key"):
        agent.ensure_group(vault, "Legal", idempotency_key="")


def test_a_refused_call_leaves_its_key_free(agent, server, vault):
    again = key()
    admin.change_vault(server, vault, user_synchronization=True)
    with pytest.raises(AgentRefused):
        agent.ensure_group(vault, "Legal", idempotency_key=again)
    admin.change_vault(server, vault, user_synchronization=False)

    assert agent.ensure_group(vault, "Legal", idempotency_key=again).name == "Legal"


def test_keys_are_forgotten_after_a_day():
    now = [1_000_000.0]
    server = VaultServer(clock=lambda: now[0])
    guid = admin.create_vault(server, name="Contracts").guid
    server.ensure_group(guid, "Legal", idempotency_key="one")
    now[0] += KEYS_REMEMBERED_FOR + 1

    assert server.ensure_group(guid, "Finance", idempotency_key="one").name == "Finance"
    server.close()


@pytest.mark.parametrize("call", ["accounts", "uids", "users", "keys", "members"])
def test_a_bulk_call_has_a_limit(agent, vault, call):
    strange = [str(uuid.uuid4()) for _ in range(MAX_ITEMS + 1)]
    calls = {
        "accounts": lambda: agent.put_login_accounts(
            vault, [LoginAccount(uid=uid, username=uid) for uid in strange], idempotency_key=key()
        ),
        "uids": lambda: agent.remove_login_accounts(vault, strange, idempotency_key=key()),
        "users": lambda: agent.put_vault_users(
            vault, [VaultUserWish(account_uid=uid, enabled=True) for uid in strange], idempotency_key=key()
        ),
        "keys": lambda: agent.get_vault_users(vault, strange),
        "members": lambda: agent.change_group_members(
            vault, 1, add=strange[:600], remove=strange[600:], idempotency_key=key()
        ),
    }
    with pytest.raises(AgentRefused) as refusal:
        calls[call]()

    assert refusal.value.code == "too_many_items"


def test_the_revision_changes_with_every_change_and_only_then(agent, server, vault):
    def revision():
        return agent.get_vault(vault).revision

    seen = [revision()]
    (anna,) = put_people(agent, vault, "anna")
    seen.append(revision())
    agent.put_vault_users(vault, [wish(anna)], idempotency_key=key())
    agent.put_login_accounts(vault, [], idempotency_key=key())
    assert revision() == seen[-1]
    admin.change_user(server, vault, "anna", enabled=False)
    seen.append(revision())
    group = agent.ensure_group(vault, "Legal", idempotency_key=key())
    seen.append(revision())
    agent.change_group_members(vault, group.id, add=[anna.uid], idempotency_key=key())
    seen.append(revision())
    agent.remove_login_accounts(vault, [anna.uid], idempotency_key=key())
    seen.append(revision())

    assert len(set(seen)) == len(seen)


def test_a_restored_backup_brings_back_the_old_state_under_a_new_revision(agent, server, vault):
    (anna,) = put_people(agent, vault, "anna")
    revision = agent.get_vault(vault).revision
    admin.back_up(server, "monday")
    put_people(agent, vault, "bert")

    admin.restore(server, "monday")

    assert [one.key for one in agent.list_vault_users(vault).items] == [anna.uid]
    assert agent.get_vault(vault).revision != revision


def test_calls_forgotten_by_a_restored_backup_take_effect_again(agent, server, vault):
    (anna,) = put_people(agent, vault, "anna")
    admin.back_up(server, "monday")
    again = key()
    agent.put_vault_users(vault, [wish(anna, enabled=False)], idempotency_key=again)
    admin.restore(server, "monday")

    agent.put_vault_users(vault, [wish(anna, enabled=False)], idempotency_key=again)

    assert not user(agent, vault, anna).enabled


def test_a_server_keeps_its_vaults_in_its_file(tmp_path):
    file = str(tmp_path / "vaults.sqlite3")
    first = VaultServer(file)
    guid = admin.create_vault(first, name="Contracts").guid
    put_people(first, guid, "anna")
    first.close()

    second = VaultServer(file)

    assert [one.username for one in second.list_vault_users(guid).items] == ["anna"]
    second.close()


def test_a_server_in_memory_can_be_restored_too():
    server = VaultServer()
    admin.create_vault(server, name="Contracts")
    admin.back_up(server, "empty")
    admin.create_vault(server, name="Projects")

    admin.restore(server, "empty")

    assert [vault.name for vault in server.list_vaults()] == ["Contracts"]
    server.close()
