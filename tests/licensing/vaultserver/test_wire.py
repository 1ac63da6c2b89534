"""The JSON form of the contract's dataclasses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.clients.agent import (
    AgentError,
    Figures,
    GroupMember,
    ItemResult,
    LoginAccount,
    Outcome,
    Page,
    ServerInfo,
    Sessions,
    VaultInfo,
    VaultUser,
    VaultUserGroup,
    VaultUserWish,
)
from licensing.clients.wire import MalformedDocument, dump, load
from provisioning.license_types import LicenseType

numbers = st.integers(0, 2**53)
figures = st.builds(Figures, numbers, numbers, numbers, numbers)
documents = {
    LoginAccount: st.builds(LoginAccount),
    VaultUserWish: st.builds(VaultUserWish, roles=st.none() | numbers),
    VaultUser: st.builds(VaultUser, id=numbers, roles=numbers),
    VaultUserGroup: st.builds(VaultUserGroup, id=numbers),
    GroupMember: st.builds(GroupMember, id=numbers),
    ItemResult: st.builds(ItemResult, id=st.none() | numbers),
    ServerInfo: st.builds(ServerInfo, contract_versions=st.just((1, 2))),
    VaultInfo: st.builds(VaultInfo, figures=figures, sessions=st.builds(Sessions, numbers, numbers, numbers)),
}


@given(st.data())
@pytest.mark.parametrize("kind", documents)
def test_what_was_written_is_read_again(kind, data):
    value = data.draw(documents[kind])

    assert load(kind, dump(value)) == value


def test_a_page_is_read_with_its_items():
    page = Page((GroupMember(key="user:1", id=1, account_uid=None),), "user:1")

    assert load(Page[GroupMember], dump(page)) == page


def test_license_types_are_words_and_sentences_are_messages():
    account = LoginAccount(uid="u", username="anna", license_type=LicenseType.READ_ONLY)
    failed = ItemResult("u", Outcome.FAILED, AgentError("username_taken", "Taken.", retryable=False))

    assert dump(account)["license_type"] == "read-only"
    assert dump(failed)["error"] == {"code": "username_taken", "message": "Taken.", "retryable": False}


def test_fields_with_a_default_may_be_missing():
    assert load(LoginAccount, {"uid": None, "username": "anna"}) == LoginAccount(uid=None, username="anna")


@pytest.mark.parametrize("number", [True, 1.5, "1", 2**53 + 1, 1e300, float("inf")])
def test_only_whole_numbers_that_json_can_carry_are_numbers(number):
    with pytest.raises(MalformedDocument, match=r"document\.id must be a whole number"):
        load(GroupMember, {"key": "x", "id": number, "account_uid": None})


def test_a_whole_number_may_be_written_with_a_point():
    member = load(GroupMember, {"key": "x", "id": 7.0, "account_uid": None})

    assert (member.id, type(member.id)) == (7, int)
