"""A subscription whose users all have a license, a group with very many of them, and an emulated vault server."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.db import connection
from django.utils import timezone

from licensing.clients.agent import VaultAgent
from licensing.models import VaultStatus
from licensing.services import agents, pools
from provisioning.license_types import LICENSED_TYPES
from provisioning.models import LoginAccount, UserGroup, Vault, VaultUserGroup
from tests import factories
from tests.bench import world
from tests.licensing.people import change_members


@contextmanager
def vault_server(data: Path) -> Iterator[tuple[str, int]]:
    """Run an emulated vault server on ``data``; give its address and process id."""
    argv = [sys.executable, "manage.py", "vaultserver", "--port", "0", "--data", str(data), "--json"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=os.environ) as server:
        try:
            assert server.stdout is not None
            yield json.loads(server.stdout.readline())["url"], server.pid
        finally:
            server.terminate()


def make_world(members: int, agent_url: str) -> tuple[UserGroup, Vault]:
    """Make a group of so many members, all licensed and looked at, one user beside it, and a vault."""
    subscription = factories.make_subscription("Contoso", at=timezone.now())
    configuration = factories.make_configuration(subscription, at=timezone.now())
    pools.set_purchased(
        subscription=subscription,
        purchases=dict.fromkeys(LICENSED_TYPES, 2 * members),
        actor=factories.ACTOR,
        at=timezone.now(),
    )
    group = factories.make_group(configuration, "Everybody")
    world.fill(configuration, members + 1, {group: members})
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM provisioning_dueaccount")
        cursor.execute(_GRANTS, [subscription.pk])
        cursor.execute("UPDATE licensing_licensepool SET granted = %s WHERE license_type = 1", [members + 1])
        cursor.execute("VACUUM ANALYZE")
    return group, factories.make_vault(subscription, "Archive", agent_url=agent_url, at=timezone.now())


def deeds(group: UserGroup, vault: Vault) -> dict[str, Callable[[], object]]:
    """Return what a worker shall work through, by name, in the order in which it happens."""
    newcomer = LoginAccount.objects.filter(subscription=group.subscription_id, memberships=None).latest("id")
    return {
        "Group linked": lambda: factories.make_link(group, vault, "Readers", at=timezone.now()),
        "One member more": lambda: change_members(group, add=[newcomer], at=timezone.now()),
        "One member less": lambda: change_members(group, remove=[newcomer], at=timezone.now()),
        "Compared, no difference": lambda: VaultStatus.objects.update(compare_due_at=timezone.now()),
    }


def seconds_until_seen(group: UserGroup, vault: Vault, *, changes: int, longest: float) -> Iterator[float]:
    """Let one member come and go; give how long it took each time from the commit until the vault's group shows it."""
    newcomer = LoginAccount.objects.filter(subscription=group.subscription_id, memberships=None).latest("id")
    agent, guid = agents.agent_for(vault), str(vault.guid)
    target = VaultUserGroup.objects.get(vault=vault, name="Readers").remote_id or 0
    for number in range(changes):
        joins = number % 2 == 0
        change_members(group, **{"add" if joins else "remove": [newcomer]}, at=timezone.now())
        begun = time.perf_counter()
        while _is_member(agent, guid, target, str(newcomer.uid)) != joins:
            if time.perf_counter() - begun > longest:
                raise TimeoutError
            time.sleep(0.02)
        yield time.perf_counter() - begun


def _is_member(agent: VaultAgent, guid: str, target: int, uid: str) -> bool:
    """Ask for the one member: listings are in the order of keys."""
    before = str(UUID(int=UUID(uid).int - 1))
    return any(one.key == uid for one in agent.list_group_members(guid, target, cursor=before, limit=1).items)


_GRANTS = """
INSERT INTO licensing_licensegrant (
    subscription_id, account_id, username_key, wanted_type, granted_type, asked_at, granted_at, source_kind)
SELECT subscription_id, id, username_key, 1, 1, now(), now(), 'default' FROM provisioning_loginaccount
WHERE subscription_id = %s"""
