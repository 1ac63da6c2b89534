"""Which client speaks with the vault server of a vault."""

from ssl import SSLContext

from django.conf import settings

from licensing.clients.agent import VaultAgent
from licensing.clients.http import HttpVaultAgent
from licensing.clients.inprocess import InProcessVaultAgent
from licensing.vaultserver import admin
from licensing.vaultserver.core import VaultServer
from provisioning.models import Vault
from provisioning.once import once

TIMEOUT = 10.0
"""The longest silence of a vault agent in seconds; less than a lease lasts."""
PAGE_TIMEOUT = 3.0
"""The same while a person waits for a page."""


def agent_for(vault: Vault, *, timeout: float = TIMEOUT) -> VaultAgent:
    """Return the client of the vault's agent, or of the emulation in this process when it has no address."""
    return agent_at(vault.agent_url, timeout=timeout)


def agent_at(url: str, *, timeout: float = TIMEOUT) -> VaultAgent:
    """Return the client of the agent at that address; empty: of the emulation in this process."""
    if url:
        return _over_http(url, settings.VAULT_AGENT_TOKEN, timeout, settings.VAULT_AGENT_TLS)
    return InProcessVaultAgent(_emulation(str(settings.DATA_DIR / "vaults.sqlite3")))


def made(vault: Vault) -> None:
    """Give a vault that was just made in the emulation the user synchronization that it was registered with."""
    if not vault.agent_url and vault.user_synchronization:
        server = _emulation(str(settings.DATA_DIR / "vaults.sqlite3"))
        admin.change_vault(server, str(vault.guid), user_synchronization=True)


@once
def _over_http(url: str, token: str, timeout: float, tls: SSLContext | None) -> HttpVaultAgent:
    return HttpVaultAgent(url, token=token, timeout=timeout, verify=tls or True)


@once
def _emulation(path: str) -> VaultServer:
    return VaultServer(path)
