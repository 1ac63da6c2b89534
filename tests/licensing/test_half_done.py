"""What a worker had begun when it died, and what it had not recorded, still follows what is wanted later."""

from datetime import timedelta

import pytest

from licensing.clients.agent import AgentUnavailable
from licensing.clients.http import HttpVaultAgent
from licensing.vaultserver import admin
from provisioning.models import GroupLink
from tests.factories import NOON, make_link
from tests.licensing.people import change_members, disable
from tests.licensing.vault_deeds import record

ANN = "ann@contoso.example"
SOON, LATER = NOON + timedelta(hours=1), NOON + timedelta(hours=8)


def login(world):
    return next(one for one in world.server.list_login_accounts(world.guid).items if one.username == ANN)


def break_off(*_args, **_options):
    raise AgentUnavailable("The vault agent did not answer in time.")


@pytest.mark.parametrize("mode", GroupLink.Mode)
def test_a_member_that_was_added_and_not_recorded_leaves_when_nobody_wants_it_any_more(
    world, ann, group, monkeypatch, mode
):
    make_link(group, world.vault, "Lawyers", mode=mode)
    real = HttpVaultAgent.change_group_members

    def die_afterwards(*arguments, **options):
        real(*arguments, **options)
        break_off()

    with monkeypatch.context() as patched:
        patched.setattr(HttpVaultAgent, "change_group_members", die_afterwards)
        world.sweep()
    assert world.members("Lawyers") == {ANN}

    change_members(group, remove=[ann])
    world.sweep(SOON)

    assert world.members("Lawyers") == set()
    assert not record(ann).memberships.exists()


def test_a_login_account_that_was_made_before_its_vault_user_follows_the_account(world, ann, group, monkeypatch):
    make_link(group, world.vault, "Lawyers")
    with monkeypatch.context() as patched:
        patched.setattr(HttpVaultAgent, "put_vault_users", break_off)
        world.sweep()
    assert login(world).enabled

    disable(ann)
    world.sweep(SOON)

    assert not login(world).enabled
    assert world.users() == {}


def test_a_login_account_whose_vault_user_a_person_deleted_follows_the_account(world, ann, linked):
    admin.delete_user(world.server, world.guid, ANN)

    disable(ann)
    world.sweep(SOON)

    assert not login(world).enabled
    assert world.users() == {}


def test_the_comparison_puts_a_login_account_right_whose_vault_user_is_not_there(world, ann, linked):
    admin.delete_user(world.server, world.guid, ANN)
    disable(ann)
    world.sweep(SOON)
    admin.change_login_account(world.server, ANN, enabled=True)

    world.sweep(LATER)

    assert not login(world).enabled
    assert world.users() == {}


def test_a_login_account_that_is_gone_with_its_vault_user_is_not_made_again(world, ann, linked):
    admin.delete_user(world.server, world.guid, ANN)
    disable(ann)
    world.sweep(SOON)
    admin.delete_login_account(world.server, ANN)

    world.sweep(LATER)

    assert world.server.list_login_accounts(world.guid).items == ()
    assert (record(ann).seen_profile, record(ann).due_at) == ("", None)
