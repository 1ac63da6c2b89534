"""What may be asked of a vault's user groups, and what the services refuse whoever asks."""

import pytest

from licensing.models import Ending, VaultGroupChange
from licensing.services import vault_groups
from licensing.services.vault_groups import BadGroupName, GroupExists, GroupGone, TooManyMembers, UnknownMember
from licensing.vaultserver import admin as vault_admin
from provisioning.models import AuditEntry, VaultUserGroup
from tests.factories import ACTOR, NOON
from tests.licensing.people import MINUTE
from tests.races import together

NOW = NOON + 6 * MINUTE
pytestmark = pytest.mark.django_db


@pytest.fixture
def group(world):
    """A user group that a person made in the vault."""
    world.sweep()
    vault_admin.add_group(world.server, world.guid, "Lawyers")
    world.sweep(NOW)
    return VaultUserGroup.objects.get(vault=world.vault, name="Lawyers")


def change(group, *keys, is_member=True):
    return vault_groups.change_members(group=group, keys=keys, is_member=is_member, actor=ACTOR, at=NOW)


def test_the_service_refuses_names_that_do_not_fit(world):
    for name in ("x" * 201, "ΐ" * 150):
        with pytest.raises(BadGroupName):
            vault_groups.request_group(vault=world.vault, name=name, actor=ACTOR, at=NOW)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_ask_for_the_same_group_at_once_one_does(world):
    def ask(_number):
        return vault_groups.request_group(vault=world.vault, name="Partners", actor=ACTOR, at=NOW)

    results = together(4, ask)

    assert [type(one) for one in results].count(GroupExists) == 3
    assert VaultUserGroup.objects.filter(name="Partners").count() == 1


def test_a_wish_can_be_asked_again_after_it_failed(world, group):
    change(group, f"group:{group.remote_id}")
    world.sweep(NOW)
    assert VaultGroupChange.objects.get().state == Ending.STALLED

    change(group, f"group:{group.remote_id}")

    again = VaultGroupChange.objects.get()
    assert (again.state, again.reason, again.attempts, again.due_at) == (Ending.READY, "", 0, NOW)


def test_the_service_refuses_what_no_page_sends(world, group):
    for key in ("", "ann", "user:", "group:x", "user:1 ", "ABCDEF00-0000-0000-0000-000000000000"):
        with pytest.raises(UnknownMember):
            change(group, key)
    with pytest.raises(TooManyMembers):
        change(group, *(f"user:{number}" for number in range(1001)))
    assert change(group) == 0
    VaultUserGroup.objects.filter(pk=group.pk).delete()
    with pytest.raises(GroupGone):
        change(group, "user:1")


def test_the_log_names_the_first_of_many(world, group):
    change(group, *(f"user:{number}" for number in range(100, 130)))

    (_, after) = AuditEntry.objects.latest("id").changes["members"]
    assert after.count("user:") == 20
    assert after.endswith("and 10 more")
    assert VaultGroupChange.objects.filter(group=group).count() == 30
