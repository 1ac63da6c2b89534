import pytest

from licensing.clients.http import HttpVaultAgent
from licensing.clients.inprocess import InProcessVaultAgent
from licensing.vaultserver import admin
from licensing.vaultserver.app import Application
from licensing.vaultserver.core import VaultServer
from licensing.vaultserver.serving import listen, serving

TOKEN = "canary-token"


@pytest.fixture
def server(tmp_path):
    server = VaultServer(str(tmp_path / "vaults.sqlite3"))
    yield server
    server.close()


@pytest.fixture
def url(server):
    with listen("127.0.0.1", 0) as listener, serving(Application(server, token=TOKEN), listener) as url:
        yield url


@pytest.fixture
def http_agent(url):
    with HttpVaultAgent(url, token=TOKEN) as agent:
        yield agent


@pytest.fixture(params=["http", "in-process"])
def agent(request, server):
    """The contract as both clients give it; every test of the contract runs against each."""
    if request.param == "http":
        return request.getfixturevalue("http_agent")
    return InProcessVaultAgent(server)


@pytest.fixture
def vault(server):
    return admin.create_vault(server, name="Contracts").guid
