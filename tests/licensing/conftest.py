import pytest

from licensing.vaultserver.app import Application
from licensing.vaultserver.core import VaultServer
from licensing.vaultserver.serving import listen, serving
from provisioning.license_types import LicenseType
from tests.factories import make_account, make_configuration, make_group, make_link, make_subscription, make_vault
from tests.licensing.people import purchase
from tests.licensing.worlds import World


@pytest.fixture
def vault_link():
    """Link a group to a user group of a new vault."""
    return lambda group, **options: make_link(group, make_vault(group.subscription), **options)


@pytest.fixture
def world(db, settings):
    """A subscription with 20 Read only licenses, by default for everybody, and a vault on a server of its own."""
    server = VaultServer()
    subscription = make_subscription()
    purchase(subscription, read_only=20)
    configuration = make_configuration(subscription, default_license_type=LicenseType.READ_ONLY)
    application = Application(server, token=settings.VAULT_AGENT_TOKEN)
    with listen("127.0.0.1", 0) as listener, serving(application, listener) as url:
        vault = make_vault(subscription, "Contracts", agent_url=url)
        yield World(subscription, configuration, server, vault)
    server.close()


@pytest.fixture
def ann(world):
    return make_account(world.configuration, "ann@contoso.example")


@pytest.fixture
def group(world, ann):
    return make_group(world.configuration, "Legal", members=[ann])


@pytest.fixture
def linked(world, group):
    """Ann is a vault user by a link, and that is done."""
    link = make_link(group, world.vault, "Lawyers")
    world.sweep()
    return link
