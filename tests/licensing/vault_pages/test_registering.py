"""Registering vaults, of which their servers may be asked first, and removing them."""

import pytest
from django.utils import timezone

from licensing.vaultserver import admin as vault_admin
from licensing.vaultserver.faults import Faults
from provisioning.models import AuditEntry, GroupLink, Vault
from tests.licensing.browsing import ANN, BOB, text


@pytest.fixture
def new(world, settings):
    """The page's address, in an installation whose operator trusts every host."""
    settings.VAULT_AGENT_HOSTS = ["*"]
    return f"/s/{world.subscription.number}/vaults/create/"


def test_a_new_vault_is_registered_and_made_on_its_server(world, client, new):
    data = {"do": "create", "agent_url": world.vault.agent_url, "name": "Invoices"}

    answer = client.post(new, data)

    vault = Vault.objects.get(name="Invoices")
    assert (answer.status_code, answer["Location"]) == (303, f"/s/{world.subscription.number}/vaults/{vault.pk}/")
    assert AuditEntry.objects.latest("id").target == "Invoices"
    world.sweep(timezone.now())
    assert {one.name for one in world.server.list_vaults()} == {"Contracts", "Invoices"}


def test_the_agent_is_asked_and_a_vault_that_it_has_is_registered_by_its_guid(world, client, new):
    world.sweep()
    archive = vault_admin.create_vault(world.server, name="Archive")

    page = text(client.post(new, {"do": "ask", "agent_url": world.vault.agent_url, "name": "Typed already"}))
    assert f'value="{archive.guid}"' in page
    assert "Registered already" in page
    assert str(world.vault.guid) not in page
    assert "Typed already" in page

    client.post(new, {"do": "create", "agent_url": world.vault.agent_url, "guid": archive.guid})
    vault = Vault.objects.get(guid=archive.guid)
    assert vault.name == "Archive"
    world.sweep(timezone.now())
    assert len(world.server.list_vaults()) == 2


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": "contracts"}, "has a vault named “contracts” already"),
        ({"name": ""}, "Enter a name for the new vault"),
        ({"agent_url": "ftp://vaults.example"}, "“ftp://vaults.example” is not an http or https address"),
        ({"agent_url": "http://root:secret@vaults.example"}, "Leave user and password out"),
        ({"agent_url": "http://vaults.example"}, "only an agent on this machine may have http://."),
        ({"guid": "nonsense"}, "Choose one of the vaults of the list."),
        ({"guid": "0a1b2c3d-1111-4222-8333-444455556666"}, "does not offer that vault any more"),
    ],
)
def test_what_cannot_be_registered_is_said_and_the_form_kept(world, client, new, typed, sentence):
    data = {"do": "create", "agent_url": world.vault.agent_url, "name": "Invoices", **typed}

    page = text(client.post(new, data), 422)

    assert sentence in page
    assert data["agent_url"] in page
    assert Vault.objects.count() == 1


def test_a_silent_agent_is_said_and_the_form_kept(world, client, new):
    world.server.faults.general = Faults(down=True)

    page = text(client.post(new, {"do": "ask", "agent_url": world.vault.agent_url, "name": "Invoices"}), 422)

    assert "The vault server is switched off." in page
    assert 'value="Invoices"' in page


def test_the_installations_token_goes_only_where_the_operator_allows(world, client, new, settings):
    settings.VAULT_AGENT_HOSTS = ["vaults.example"]

    page = text(client.post(new, {"do": "ask", "agent_url": world.vault.agent_url}), 422)

    assert "Ask the operator of this installation to add it to MFMANAGE_VAULT_AGENT_HOSTS." in page


def test_only_an_embedded_installation_offers_its_emulation(client, new, settings):
    settings.EMBEDDED = True
    assert "Leave it empty" in text(client.get(new))

    settings.EMBEDDED = False
    assert "Leave it empty" not in text(client.get(new))
    assert "Enter the address of the vault agent" in text(client.post(new, {"do": "create", "name": "New"}), 422)


def test_a_vault_is_removed_by_its_typed_name_and_stays_on_its_server(world, link, client, url):
    world.sweep()
    page = text(client.get(f"{url}remove/"))
    assert "1 go; the groups in the vault keep their members" in page
    assert "No longer kept in step: 2, of whom 2 can still sign in" in page

    page = text(client.post(f"{url}remove/", {"name": "contracts"}), 422)
    assert "Type “Contracts”, letter for letter." in page
    assert 'value="contracts"' in page

    answer = client.post(f"{url}remove/", {"name": "Contracts"})
    assert (answer.status_code, answer["Location"]) == (303, f"/s/{world.subscription.number}/vaults/")
    assert not Vault.objects.exists()
    assert not GroupLink.objects.exists()
    assert world.users() == {ANN: True, BOB: True}
