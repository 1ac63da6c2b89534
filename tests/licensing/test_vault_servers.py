"""Asking a vault server what it has, before a vault of it is registered."""

import pytest

from licensing.clients.agent import AgentRefused, AgentUnavailable
from licensing.services import vault_servers
from licensing.vaultserver import admin
from licensing.vaultserver.faults import Faults
from tests.factories import make_subscription, make_vault


def ask(world):
    return vault_servers.ask(world.subscription, world.vault.agent_url)


def test_a_server_says_its_name_and_which_vaults_can_be_registered(world):
    world.sweep()
    archive = admin.create_vault(world.server, name="Archive")

    found = ask(world)

    assert found.name == world.server.get_server().name
    assert [one.guid for one in found.free] == [archive.guid]
    assert found.registered == (world.vault,)


def test_vaults_of_other_subscriptions_are_not_shown(world):
    theirs = make_vault(make_subscription(), "Secret", agent_url=world.vault.agent_url)
    admin.create_vault(world.server, name="Secret", vault=str(theirs.guid))

    found = ask(world)

    assert (found.free, found.registered) == ((), ())


def test_a_server_that_is_down_says_so(world):
    world.server.faults.general = Faults(down=True)

    with pytest.raises(AgentUnavailable):
        ask(world)


def test_an_address_without_an_agent_is_told_from_one_that_is_down(world):
    with pytest.raises(AgentRefused):
        vault_servers.ask(world.subscription, f"{world.vault.agent_url}/elsewhere")


def test_the_token_goes_only_to_hosts_that_the_operator_named(settings):
    settings.VAULT_AGENT_HOSTS = ["vaults.example:8443"]

    assert vault_servers.is_allowed("https://vaults.example:8443/agent")
    assert not vault_servers.is_allowed("https://other.example:8443/agent")


def test_only_an_embedded_installation_has_the_emulation(settings):
    settings.EMBEDDED = True
    assert vault_servers.is_allowed("")
    settings.EMBEDDED = False
    assert not vault_servers.is_allowed("")
