"""Registering vaults: new ones, and those that a vault server has already."""

from uuid import UUID

import pytest

from provisioning.models import AuditEntry, Vault
from provisioning.services import vaults
from tests.commandline import manage
from tests.factories import ACTOR, NOON, make_subscription, make_vault

GUID = UUID("0a1b2c3d-1111-4222-8333-444455556666")

pytestmark = pytest.mark.django_db


def register(subscription, name, guid=None):
    return vaults.create_vault(
        subscription=subscription,
        name=name,
        agent_url="",
        user_synchronization=False,
        guid=guid,
        actor=ACTOR,
        at=NOON,
    )


def test_a_vault_that_its_server_has_keeps_its_guid():
    vault = register(make_subscription(), "Contracts", GUID)

    assert Vault.objects.get(pk=vault.pk).guid == GUID
    assert AuditEntry.objects.latest("id").action == "create vault"


def test_new_vaults_get_guids_of_their_own():
    subscription = make_subscription()

    assert register(subscription, "Contracts").guid != register(subscription, "Invoices").guid


def test_a_vault_is_registered_once_in_all_subscriptions():
    register(make_subscription(), "Contracts", GUID)

    with pytest.raises(vaults.VaultRegistered, match="registered already"):
        register(make_subscription(), "Other name", GUID)
    assert Vault.objects.count() == 1


def test_a_taken_name_is_told_from_a_taken_guid():
    subscription = make_vault(make_subscription(), "Contracts").subscription

    with pytest.raises(vaults.VaultNameTaken, match="Choose another name"):
        register(subscription, "CONTRACTS", GUID)


@pytest.mark.django_db(transaction=True)
def test_the_command_takes_the_guid_with_braces_too(capsys):
    number = make_subscription().number

    answer = manage(capsys, "createvault", number, "Contracts", "--guid", f"{{{GUID}}}".upper())

    assert answer.code == 0
    assert f"{{{GUID}}}".upper() in answer.out
    assert Vault.objects.get().guid == GUID


@pytest.mark.django_db(transaction=True)
def test_the_command_refuses_a_guid_that_is_registered(capsys):
    number = make_subscription().number
    manage(capsys, "createvault", number, "Contracts", "--guid", str(GUID))

    answer = manage(capsys, "createvault", number, "Invoices", "--guid", str(GUID))

    assert answer.code == 1
    assert "registered already" in answer.err
