"""Faults on demand, as the clients meet them."""

import pytest

from licensing.clients.agent import AgentUnavailable
from licensing.vaultserver import admin
from licensing.vaultserver.faults import Faults, FaultsUnreadable, faults_from, parse_faults
from tests.licensing.vaultserver.people import account, key, outcomes, put_people, user, wish


def test_a_server_that_is_down_changes_nothing(agent, server, vault):
    (anna,) = put_people(agent, vault, "anna")
    server.faults.put(Faults(down=True))

    with pytest.raises(AgentUnavailable, match="switched off"):
        agent.put_vault_users(vault, [wish(anna, enabled=False)], idempotency_key=key())

    server.faults.clear()
    assert user(agent, vault, anna).enabled


def test_a_reset_after_the_effect_is_harmless_to_repeat(agent, server, vault):
    (anna,) = put_people(agent, vault, "anna")
    again = key()
    server.faults.put(Faults(reset=1))
    with pytest.raises(AgentUnavailable):
        agent.put_vault_users(vault, [wish(anna, enabled=False)], idempotency_key=again)
    server.faults.clear()

    assert not user(agent, vault, anna).enabled
    assert outcomes(agent.put_vault_users(vault, [wish(anna, enabled=False)], idempotency_key=again)) == ["disabled"]


def test_a_call_that_is_cut_off_before_it_arrives_changes_nothing(agent, server, vault):
    (anna,) = put_people(agent, vault, "anna")
    server.faults.put(Faults(drop=1))
    with pytest.raises(AgentUnavailable):
        agent.put_vault_users(vault, [wish(anna, enabled=False)], idempotency_key=key())
    server.faults.clear()

    assert user(agent, vault, anna).enabled


def test_half_an_answer_leaves_the_effect_unknown_and_is_harmless_to_repeat(agent, server, vault):
    (anna,) = put_people(agent, vault, "anna")
    again = key()
    server.faults.put(Faults(garbage=1))
    with pytest.raises(AgentUnavailable, match="not what was agreed"):
        agent.put_vault_users(vault, [wish(anna, enabled=False)], idempotency_key=again)
    server.faults.clear()

    assert not user(agent, vault, anna).enabled
    assert outcomes(agent.put_vault_users(vault, [wish(anna, enabled=False)], idempotency_key=again)) == ["disabled"]


def test_a_call_that_arrives_twice_takes_effect_once(agent, server, vault):
    server.faults.put(Faults(duplicate=1))

    (anna,) = put_people(agent, vault, "anna")

    assert [one.key for one in agent.list_vault_users(vault).items] == [anna.uid]


def test_errors_come_as_often_as_asked(agent, server, vault):
    server.faults.chance = iter([0.04, 0.06, 1, 1]).__next__
    server.faults.put(Faults(error=0.05))

    with pytest.raises(AgentUnavailable, match="Injected error"):
        agent.list_groups(vault)
    assert agent.list_groups(vault)


def test_latency_is_waited_for_before_the_answer(agent, server, vault):
    waits: list[float] = []
    server.faults.sleep = waits.append
    server.faults.put(Faults(latency=0.25))

    agent.list_groups(vault)

    assert waits == [0.25]


def test_a_refused_user_fails_alone_with_a_sentence(agent, server, vault):
    server.faults.put(Faults(refuse=frozenset({"bert"})))
    anna, bert = account("anna"), account("Bert")

    (good, bad) = agent.put_login_accounts(vault, [anna, bert], idempotency_key=key())

    assert outcomes([good, bad]) == ["created", "refused_by_server"]
    assert (bad.error.sentence, bad.error.retryable) == ("The vault server does not accept this user.", False)


def test_a_vault_can_refuse_a_user_that_the_server_knows(agent, server, vault):
    anna, bert = put_people(agent, vault, "anna", "bert")
    server.faults.put(Faults(refuse=frozenset({"bert"})), vault=vault)

    results = agent.put_vault_users(vault, [wish(bert, enabled=False), wish(anna)], idempotency_key=key())

    assert outcomes(results) == ["refused_by_server", "unchanged"]


def test_faults_of_one_vault_leave_the_others_alone(agent, server, vault):
    other = admin.create_vault(server, name="Projects").guid
    server.faults.put(Faults(down=True), vault=other)

    assert agent.list_groups(vault)
    with pytest.raises(AgentUnavailable):
        agent.list_groups(other)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", Faults()),
        ("latency=50ms", Faults(latency=0.05)),
        ("latency=2s,error=0.05", Faults(latency=2, error=0.05)),
        ("latency=0.1, reset=0.02", Faults(latency=0.1, reset=0.02)),
        ("duplicate=1,refuse=Anna,refuse=bert", Faults(duplicate=1, refuse=frozenset({"anna", "bert"}))),
        ("drop=0.5,garbage=1", Faults(drop=0.5, garbage=1)),
        ("down", Faults(down=True)),
    ],
)
def test_faults_are_read_from_the_command_line(text, faults):
    assert parse_faults(text) == faults


@pytest.mark.parametrize(
    "text", ["slow=1", "error=2", "error=-1", "latency=soon", "latency=-1s", "latency=inf", "error"]
)
def test_an_unreadable_fault_is_named(text):
    with pytest.raises(FaultsUnreadable, match=text.partition("=")[0]):
        parse_faults(text)


def test_faults_are_read_from_json():
    assert faults_from({"down": False, "latency": 0.5, "refuse": ["Anna"]}) == Faults(
        latency=0.5, refuse=frozenset({"anna"})
    )
    with pytest.raises(FaultsUnreadable, match="refuse must be"):
        faults_from({"refuse": "anna"})
