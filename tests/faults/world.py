"""People whom two links bring into one vault, and the changes that happen to them meanwhile."""

import random

from django.utils import timezone

from licensing.clients.agent import VaultAgent, each_group_member
from licensing.models import VaultUser
from provisioning.license_types import LicenseType
from provisioning.models import GroupLink, GroupMembership, LoginAccount
from tests.factories import make_account, make_configuration, make_group, make_link, make_subscription, make_vault
from tests.licensing.people import change_account, change_members, purchase

FIRST = 50
"""How many are members before the processes start to die."""


class World:
    """``users`` people. *Everybody* is linked in *replace* mode and grows meanwhile, *Legal* in *merge* mode."""

    def __init__(self, users: int, agent_url: str, random_: random.Random) -> None:
        now, self._random = timezone.now(), random_
        self.subscription = make_subscription("Contoso", at=now)
        purchase(self.subscription, at=now, read_only=users)
        configuration = make_configuration(self.subscription, default_license_type=LicenseType.READ_ONLY, at=now)
        self.vault = make_vault(self.subscription, "Contracts", agent_url=agent_url, at=now)
        self._people = [make_account(configuration, f"user{number:05}@contoso.example") for number in range(users)]
        self.joined = min(FIRST, users)
        self.everybody = make_group(configuration, "Everybody", members=self._people[: self.joined], at=now)
        self.legal = make_group(configuration, "Legal", members=self._people[: self.joined : 3], at=now)
        self.links = [
            make_link(self.everybody, self.vault, mode=GroupLink.Mode.REPLACE, at=now),
            make_link(self.legal, self.vault, mode=GroupLink.Mode.MERGE, at=now),
        ]
        self.changes = 0

    def grow(self, number: int) -> None:
        """Let so many more people join, as an identity provider's cycle does."""
        coming = self._people[self.joined : self.joined + max(0, number)]
        self.joined += len(coming)
        if coming:
            change_members(self.everybody, add=coming, at=timezone.now())
            self.changes += 1

    def change(self) -> None:
        """Let something happen to one of those who have joined."""
        account = LoginAccount.objects.get(pk=self._random.choice(self._people[: self.joined]).pk)
        group = self._random.choice([self.everybody, self.legal, self.legal])
        match self._random.choice(["switch", "rename", "member", "member"]):
            case "switch":
                change_account(account, is_enabled=not account.is_enabled, at=timezone.now())
            case "rename":
                name = f"user{account.pk}.{self.changes}"
                change_account(account, username=f"{name}@contoso.example", full_name=name, at=timezone.now())
            case "member":
                is_in = GroupMembership.objects.filter(group=group, account=account).exists()
                change_members(group, **{"remove" if is_in else "add": [account]}, at=timezone.now())
        self.changes += 1

    def wanted(self) -> dict[str, set[str]]:
        """Return the uids that shall be in each target group by the directory's facts alone, by name of the group."""
        return {
            group.display_name: {
                str(uid)
                for uid in LoginAccount.objects.filter(
                    memberships__group=group, is_enabled=True, license_grant__granted_type__gt=LicenseType.NONE
                ).values_list("uid", flat=True)
            }
            for group in (self.everybody, self.legal)
        }

    def members(self, agent: VaultAgent, name: str) -> set[str]:
        """Return the keys of those who are in a target group; nobody while it is missing."""
        guid = str(self.vault.guid)
        ids = [group.id for group in agent.list_groups(guid) if group.name == name]
        return {member.key for pk in ids for member in each_group_member(agent, guid, pk)}

    def brought_back(self, agent: VaultAgent) -> set[str]:
        """Return who is in the *merge* target unwanted: whom the portal once removed there and a backup put back."""
        return self.members(agent, "Legal") - self.wanted()["Legal"]

    def made(self) -> int:
        """Return how many vault users are known to be in the vault."""
        return VaultUser.objects.filter(vault=self.vault, seen_enabled__isnull=False).count()
