"""Vault user groups and members: the contract, against both clients."""

import pytest

from licensing.clients.agent import AgentRefused, each_group_member
from licensing.vaultserver import admin
from tests.licensing.vaultserver.people import account, key, outcomes, put_people


@pytest.fixture
def group(agent, vault):
    return agent.ensure_group(vault, "Legal", idempotency_key=key())


def change(agent, vault, group_id, **changes):
    return outcomes(agent.change_group_members(vault, group_id, **changes, idempotency_key=key()))


def members(agent, vault, group_id):
    return [member.key for member in each_group_member(agent, vault, group_id, limit=2)]


def test_a_new_vault_has_the_two_built_in_groups(agent, vault):
    assert [(group.id, group.name, group.built_in) for group in agent.list_groups(vault)] == [
        (1, "All internal users", True),
        (2, "All internal and external users", True),
    ]


def test_a_group_is_made_once_whatever_the_case_of_its_name(agent, vault, group):
    again = agent.ensure_group(vault, "LEGAL", idempotency_key=key())

    assert again == group
    assert len(agent.list_groups(vault)) == 3


def test_asking_for_a_built_in_group_gives_it_as_built_in(agent, vault):
    assert agent.ensure_group(vault, "all internal users", idempotency_key=key()).built_in


def test_members_are_added_and_removed_each_with_its_result(agent, vault, group):
    anna, bert, carl = (one.uid for one in put_people(agent, vault, "anna", "bert", "carl"))
    change(agent, vault, group.id, add=[anna])

    assert change(agent, vault, group.id, add=[anna, bert, account("x").uid], remove=[carl]) == [
        "unchanged",
        "added",
        "user_not_found",
        "unchanged",
    ]
    assert change(agent, vault, group.id, remove=[anna]) == ["removed"]
    assert members(agent, vault, group.id) == [bert]


def test_members_are_listed_in_pages_by_key(agent, vault, group):
    people = [one.uid for one in put_people(agent, vault, *"abcde")]
    change(agent, vault, group.id, add=people)

    assert members(agent, vault, group.id) == sorted(people)


def test_a_disabled_user_stays_a_member_and_a_deleted_one_does_not(agent, server, vault, group):
    anna, bert = put_people(agent, vault, "anna", "bert")
    change(agent, vault, group.id, add=[anna.uid, bert.uid])

    admin.change_user(server, vault, "anna", enabled=False)
    admin.delete_user(server, vault, "bert")

    assert members(agent, vault, group.id) == [anna.uid]
    assert change(agent, vault, group.id, add=[bert.uid]) == ["user_not_found"]


def test_a_group_in_a_group_has_a_negative_number(agent, vault, group):
    inner = agent.ensure_group(vault, "Lawyers", idempotency_key=key())
    change(agent, vault, group.id, add=[f"group:{inner.id}"])

    (member,) = agent.list_group_members(vault, group.id).items

    assert (member.key, member.id, member.account_uid) == (f"group:{inner.id}", -inner.id, None)


def test_a_group_never_becomes_a_member_of_itself(agent, vault, group):
    inner = agent.ensure_group(vault, "Lawyers", idempotency_key=key())
    change(agent, vault, group.id, add=[f"group:{inner.id}"])

    assert change(agent, vault, group.id, add=[f"group:{group.id}"]) == ["group_cycle"]
    assert change(agent, vault, inner.id, add=[f"group:{group.id}"]) == ["group_cycle"]


@pytest.mark.parametrize("built_in", [1, 2])
def test_a_built_in_group_cannot_be_changed(agent, vault, built_in):
    (anna,) = put_people(agent, vault, "anna")

    with pytest.raises(AgentRefused) as refusal:
        change(agent, vault, built_in, add=[anna.uid])

    assert (refusal.value.code, refusal.value.retryable) == ("group_built_in", False)


def test_built_in_groups_have_the_users_of_the_vault(agent, server, vault):
    (anna,) = put_people(agent, vault, "anna")
    guest = admin.add_user(server, vault, "guest", internal=False)
    admin.delete_user(server, vault, admin.add_user(server, vault, "gone").key)

    assert members(agent, vault, 1) == [anna.uid]
    assert members(agent, vault, 2) == [anna.uid, guest.key]


def test_a_group_is_hidden_and_shown_again(agent, server, vault, group):
    before = agent.get_vault(vault).revision

    hidden = agent.change_group(vault, group.id, visible=False, idempotency_key=key())

    assert (hidden.name, hidden.visible) == ("Legal", False)
    assert agent.list_groups(vault)[2] == hidden
    assert agent.ensure_group(vault, "legal", idempotency_key=key()) == hidden
    assert agent.get_vault(vault).revision != before
    assert agent.change_group(vault, group.id, visible=True, idempotency_key=key()) == group


def test_hiding_a_hidden_group_changes_nothing(agent, vault, group):
    agent.change_group(vault, group.id, visible=False, idempotency_key=key())
    before = agent.get_vault(vault).revision

    agent.change_group(vault, group.id, visible=False, idempotency_key=key())

    assert agent.get_vault(vault).revision == before


@pytest.mark.parametrize(("group_id", "code"), [(1, "group_built_in"), (2, "group_built_in"), (99, "group_not_found")])
def test_a_built_in_or_unknown_group_cannot_be_hidden(agent, vault, group_id, code):
    with pytest.raises(AgentRefused) as refusal:
        agent.change_group(vault, group_id, visible=False, idempotency_key=key())

    assert refusal.value.code == code


def test_an_unknown_group_is_refused(agent, vault):
    with pytest.raises(AgentRefused) as listing:
        agent.list_group_members(vault, 99)
    with pytest.raises(AgentRefused) as changing:
        change(agent, vault, 99, add=["x"])

    assert listing.value.code == changing.value.code == "group_not_found"


def test_a_group_needs_a_name(agent, vault):
    with pytest.raises(AgentRefused, match="needs a name"):
        agent.ensure_group(vault, " ", idempotency_key=key())


def test_the_groups_of_one_vault_are_not_those_of_another(agent, server, vault, group):
    other = admin.create_vault(server, name="Projects").guid

    assert [one.name for one in agent.list_groups(other)] == ["All internal users", "All internal and external users"]
