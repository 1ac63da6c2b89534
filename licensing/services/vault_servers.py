"""What a vault server says of itself and its vaults, for whoever registers one of them."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.conf import settings

from licensing.clients.agent import AgentRefused, AgentUnavailable, VaultInfo
from licensing.services.agents import agent_at
from provisioning import hosts
from provisioning.models import Subscription, Vault

SILENCES: Final = (AgentUnavailable, AgentRefused)
"""What asking a server raises when it does not answer, or refuses; each is a sentence."""


@dataclass(frozen=True, slots=True)
class ServerView:
    """A vault server: the vaults that can be registered, and those that the subscription has registered already."""

    name: str
    product_version: str
    free: tuple[VaultInfo, ...]
    registered: tuple[Vault, ...]


def is_allowed(agent_url: str) -> bool:
    """Return whether admins may register vaults of the agent at that address (``VAULT_AGENT_HOSTS``).

    Without an address it is the emulation, which only an embedded installation has.
    """
    if not agent_url:
        return bool(settings.EMBEDDED)
    return hosts.is_named(agent_url, settings.VAULT_AGENT_HOSTS)


def ask(subscription: Subscription, agent_url: str) -> ServerView:
    """Return what the server says; vaults of other subscriptions are left out.

    Raises ``AgentUnavailable`` and ``AgentRefused``.
    """
    agent = agent_at(agent_url)
    server, found = agent.get_server(), agent.list_vaults()
    known = {vault.guid: vault for vault in Vault.objects.filter(guid__in=[one.guid for one in found])}
    mine = [vault for vault in known.values() if vault.subscription_id == subscription.pk]
    free = tuple(one for one in found if UUID(one.guid) not in known)
    return ServerView(server.name, server.product_version, free, tuple(sorted(mine, key=lambda vault: vault.name)))
