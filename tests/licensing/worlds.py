"""A subscription whose vault lives in a real emulated vault server, reached over HTTP."""

from dataclasses import dataclass
from datetime import datetime

from licensing.clients.agent import VaultUser, each_group_member, each_vault_user
from licensing.models import VaultStatus
from licensing.sweep import sweep_once
from licensing.vaultserver.core import VaultServer
from provisioning.models import ProvisioningConfiguration, Subscription, Vault
from tests.factories import NOON


@dataclass
class World:
    subscription: Subscription
    configuration: ProvisioningConfiguration
    server: VaultServer
    vault: Vault

    @property
    def guid(self) -> str:
        return str(self.vault.guid)

    @property
    def status(self) -> VaultStatus:
        return VaultStatus.objects.get(vault=self.vault)

    def sweep(self, now: datetime = NOON):
        """Work until nothing is due any more."""
        tally, users = sweep_once(now)
        while sum(vars_of(more := sweep_once(now)[1])):
            users.add(more)
        return tally, users

    def users(self) -> dict[str, bool]:
        """The vault's users by name, and whether they are enabled."""
        return {
            str(user.username): user.enabled for user in each_vault_user(self.server, self.guid) if not user.deleted
        }

    def user(self, account) -> VaultUser:
        return self.server.get_vault_users(self.guid, [str(account.uid)])[0]

    def members(self, name: str) -> set[str]:
        """The usernames in a vault user group."""
        group = next(group for group in self.server.list_groups(self.guid) if group.name == name)
        names = {user.key: str(user.username) for user in each_vault_user(self.server, self.guid)}
        return {names.get(member.key, member.key) for member in each_group_member(self.server, self.guid, group.id)}


def vars_of(tally):
    return [tally.created, tally.updated, tally.enabled, tally.disabled, tally.failed, tally.repaired]
