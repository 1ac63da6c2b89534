"""Access and admin rights in words, and a vault user's state when an admin decided."""

import pytest

from licensing.clients.agent import VaultRole
from licensing.plans import access, presence
from licensing.plans.access import AccessFacts
from licensing.plans.presence import PresenceFacts, PresenceView

FULL = int(VaultRole.FULL_CONTROL)
SOME = int(VaultRole.SEE_ALL_OBJECTS)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "No admin rights"),
        ({"seen_roles": 0}, "No admin rights"),
        ({"seen_roles": SOME}, "Partial admin rights"),
        ({"seen_roles": FULL | SOME}, "Full control of vault"),
        ({"seen_roles": FULL, "full_control": True}, "Full control of vault"),
        ({"seen_roles": SOME, "full_control": False}, "Partial admin rights"),
        ({"seen_roles": SOME, "full_control": True}, "Full control of vault, once the vault has changed it"),
        ({"seen_roles": FULL | SOME, "full_control": False}, "Partial admin rights, once the vault has changed it"),
        ({"full_control": True}, "Full control of vault, with the vault user"),
        ({"full_control": False}, "No admin rights"),
    ],
)
def test_admin_rights_are_those_of_the_vault_and_what_is_to_come(facts, words):
    assert access.rights(AccessFacts(**facts)) == words


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "Nobody gives access"),
        ({"sources": ("Legal",)}, "By links"),
        ({"is_given": True}, "Given by an admin"),
        ({"is_given": True, "sources": ("Legal",)}, "Given by an admin, and by links"),
        ({"is_blocked": True, "sources": ("Legal",)}, "Disabled by an admin"),
    ],
)
def test_who_gives_access(facts, words):
    assert access.access(AccessFacts(**facts)) == words


def test_what_stays_without_what_an_admin_gave():
    assert access.left_without_gift(AccessFacts(is_given=True)).startswith("No link gives access")
    assert access.left_without_gift(AccessFacts(is_given=True, sources=("Legal", "Sales"))) == (
        "Links from Legal, Sales still give access, so the vault user stays enabled."
    )


@pytest.mark.parametrize(
    ("facts", "state", "why"),
    [
        ({"wanted_enabled": True, "seen_enabled": True, "is_given": True}, "Enabled", "Given by an admin"),
        (
            {"wanted_enabled": True, "seen_enabled": True, "is_given": True, "sources": ("A", "B")},
            "Enabled",
            "Linked from groups A, B and given by an admin",
        ),
        (
            {"wanted_enabled": True, "seen_enabled": None, "is_given": True, "is_due": True},
            "Not yet there",
            "Given by an admin; the change is on its way",
        ),
        (
            {"wanted_enabled": False, "seen_enabled": False, "is_given": True},
            "Disabled",
            "An admin gave access, which takes an enabled account with a license",
        ),
        (
            {"wanted_enabled": False, "seen_enabled": True, "is_blocked": True, "is_due": True},
            "Enabled",
            "An admin disabled it in this vault; the change is on its way",
        ),
    ],
)
def test_a_vault_user_says_what_an_admin_decided(facts, state, why):
    assert presence.view(PresenceFacts(**facts)) == PresenceView(state, why)
