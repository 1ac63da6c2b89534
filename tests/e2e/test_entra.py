"""The simulator against the project's own service, over real HTTP: what must hold for whole runs (SO-1, SO-3, SO-5)."""

from typing import Any

import pytest
from django.utils import timezone

from mfmanage.entra.client import Connection, CredentialsRefused
from mfmanage.entra.generating import generate
from mfmanage.entra.reading import parse
from mfmanage.entra.restarts import PORTAL
from mfmanage.entra.results import Summary
from mfmanage.entra.run import run
from mfmanage.entra.state import State
from mfmanage.entra.styles import Style
from provisioning.models import LoginAccount, ProvisioningConfiguration, UserGroup
from provisioning.services.configurations import Credentials
from scim.schema import ENTERPRISE_SCHEMA
from tests.factories import make_credentials

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.e2e]
DIRECTORY = generate(24, 4, 7)


def provision(
    address: str, credentials: Credentials, document: dict[str, Any], *, state: State | None = None, **options: Any
) -> Summary:
    configuration = credentials.configuration
    connection = Connection(
        tenant_url=f"{address}/scim/v2/{configuration.public_id}",
        token_endpoint=f"{address}/oauth/token",
        client_id=configuration.client_id,
        client_secret=credentials.client_secret,
    )
    return run(connection, parse(document), state=state or State(), **options)


def end_state(configuration: ProvisioningConfiguration) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return all that the configuration brought, with usernames in place of the ids that the service chose."""
    accounts = list(LoginAccount.objects.filter(configuration=configuration))
    names = {account.scim_id: account.username for account in accounts}
    users = {}
    for account in accounts:
        document = account.document
        manager = document.get(ENTERPRISE_SCHEMA.urn, {}).get("manager")
        if manager:
            manager["value"] = names.get(manager["value"], "gone")
        users[account.username] = (account.is_enabled, account.is_removed, document)
    groups = {
        group.display_name: (group.external_id, set(group.accounts.values_list("username", flat=True)))
        for group in UserGroup.objects.filter(configuration=configuration, deleted_at__isnull=True)
    }
    return users, groups


@pytest.mark.parametrize("style", list(Style))
def test_so_1_a_cycle_without_change_writes_nothing(live_server, style):
    credentials, state = make_credentials(at=timezone.now()), State()

    summary = provision(live_server.url, credentials, DIRECTORY, state=state, style=style, cycles=2)
    again = provision(live_server.url, credentials, DIRECTORY, state=state, style=style, restart=PORTAL)

    assert (summary.failed, again.failed) == (0, 0)
    assert summary.cycles[0].created == 28
    assert again.cycles[0].requests > 25
    assert again.cycles[0].writes == 0


def test_so_3_both_styles_end_in_the_same_state(live_server):
    states = []
    for style in Style:
        credentials = make_credentials(at=timezone.now())
        assert provision(live_server.url, credentials, DIRECTORY, style=style, cycles=2).failed == 0
        states.append(end_state(credentials.configuration))

    assert states[0] == states[1]


def test_so_5_what_was_sent_is_what_is_there(live_server):
    credentials = make_credentials(at=timezone.now())
    provision(live_server.url, credentials, DIRECTORY, style=Style.DEFAULT, cycles=1)

    users, groups = end_state(credentials.configuration)

    source = parse(DIRECTORY).at(1)
    for user in source.users.values():
        enabled, removed, document = users[user.user_principal_name]
        assert (enabled, removed) == (user.is_active, False)
        assert document["displayName"] == user.display_name
        assert document["name"]["familyName"] == user.surname
    by_id = {one.id: one.user_principal_name for one in source.users.values()}
    assert {name: members for name, (_, members) in groups.items()} == {
        group.display_name: {by_id[one] for one in group.members} for group in source.groups.values()
    }


def test_a_wrong_secret_is_said_in_words(live_server):
    credentials = make_credentials(at=timezone.now())
    wrong = Credentials(configuration=credentials.configuration, client_secret="mfms_wrong")

    with pytest.raises(CredentialsRefused):
        provision(live_server.url, wrong, DIRECTORY, style=Style.DEFAULT, cycles=1)

    assert not LoginAccount.objects.exists()
