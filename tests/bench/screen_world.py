"""A vault that holds every member of a very big group, as its links want it, among further vaults and links."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from licensing.models import DriftFinding, DriftReport, VaultUser
from licensing.services import drift, due
from licensing.vaultserver.store import Store
from provisioning.models import GroupLink, User, UserGroup, Vault, VaultUserGroup
from tests import factories
from tests.bench import vault_world

VAULTS = 100
LINKS_EACH = 3
STRANGERS = 100
"""So many members of the target are known to the vault only."""


@dataclass(frozen=True, slots=True)
class World:
    """``link`` is the big group's; ``other`` is a group of no members. ``client`` is signed in as an admin."""

    client: Client
    group: UserGroup
    other: UserGroup
    vault: Vault
    link: GroupLink
    user: VaultUser
    report: DriftReport

    @property
    def home(self) -> str:
        return f"/s/{self.vault.subscription.number}/"


def make_world(members: int, agent_url: str, data: Path) -> World:
    """Make it in plain SQL: in the vault, and in the records, nothing is due."""
    group, vault = vault_world.make_world(members, agent_url)
    Store(str(data)).close()
    target = VaultUserGroup.objects.create(vault=vault, name="Readers", name_key="readers", remote_id=101)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = 'replica'")  # foreign keys are right, and not looked up
        cursor.execute(_VAULT_USERS, [vault.pk, group.pk])
        cursor.execute(_MEMBERSHIPS, [target.pk, vault.pk])
    link = factories.make_link(group, vault, "Readers", at=timezone.now())
    other = _others(group)
    _settle(vault)
    _fill_server(vault, members, data)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    user = VaultUser.objects.filter(vault=vault).order_by("account_id")[members // 2]
    return World(_admin(vault), group, other, vault, GroupLink.objects.get(pk=link.pk), user, _report(vault))


def _others(group: UserGroup) -> UserGroup:
    """Make further vaults with links from groups without members; return one of the groups."""
    for number in range(VAULTS):
        vault = factories.make_vault(group.subscription, f"Vault {number}", at=timezone.now())
        for count in range(LINKS_EACH):
            source = factories.make_group(group.configuration, f"Group {number} {count}")
            factories.make_link(source, vault, f"Target {count}", at=timezone.now())
    return source


def _settle(vault: Vault) -> None:
    """Record that all is done."""
    due.know_vaults()
    with connection.cursor() as cursor:
        for statement in _SETTLED:
            cursor.execute(statement, [vault.subscription_id])


def _report(vault: Vault) -> DriftReport:
    report = drift.begin(vault, timezone.now())
    kinds = DriftFinding.Kind.values
    texts = {"detail": "has other admin rights in the vault than it shall have", "is_repaired": True}
    DriftFinding.objects.bulk_create(
        DriftFinding(report=report, kind=kinds[number % 3], subject=f"user{number}@contoso.com", **texts)
        for number in range(drift.MOST_FINDINGS)
    )
    drift.finish(report, timezone.now())
    return report


def _admin(vault: Vault) -> Client:
    client = Client(SERVER_NAME="localhost")
    factories.make_admin(vault.subscription, "root@contoso.example")
    client.force_login(User.objects.get(), "allauth.account.auth_backends.AuthenticationBackend")
    return client


def _fill_server(vault: Vault, members: int, data: Path) -> None:
    """Give the vault server what the records say of it, and a few members more."""
    guid = str(vault.guid)
    with sqlite3.connect(data) as server:
        server.execute(
            "INSERT INTO vault (guid, name, revision, next_user_id, next_group_id) VALUES (?, ?, 'r', ?, 102)",
            (guid, vault.name, members + STRANGERS + 1),
        )
        server.execute(
            "INSERT INTO user_group (vault, id, name, name_key) VALUES (?, 101, 'Readers', 'readers')", (guid,)
        )
        server.executemany(_ACCOUNT, _rows(vault))
        server.executemany(_STRANGER, ((members + number, number) for number in range(1, STRANGERS + 1)))
        server.execute(_USERS, (guid,))
        server.execute("INSERT INTO member SELECT vault, 101, key, id FROM vault_user")


def _rows(vault: Vault) -> Iterator[tuple[int, str, str]]:
    rows = VaultUser.objects.filter(vault=vault).values_list("remote_id", "account_uid", "account__username")
    return ((number or 0, str(uid), str(name)) for number, uid, name in rows.iterator())


_VAULT_USERS = """
INSERT INTO licensing_vaultuser (
    subscription_id, vault_id, account_id, account_uid, remote_id, wanted_enabled, wanted_manual, is_blocked,
    wanted_profile, seen_enabled, seen_roles, seen_profile, disabled_by, overrides_person, generation,
    observed_generation, state, reason, attempts)
SELECT a.subscription_id, %s, a.id, a.uid, row_number() OVER (ORDER BY a.id), true, false, false,
    md5(a.username), true, 3, md5(a.username), '', false, 1, 1, 'ready', '', 0
FROM provisioning_loginaccount a JOIN provisioning_groupmembership m ON m.account_id = a.id WHERE m.group_id = %s"""
_MEMBERSHIPS = """
INSERT INTO licensing_vaultusermembership (subscription_id, vault_user_id, target_id, wanted, seen, added_by_us)
SELECT subscription_id, id, %s, true, true, true FROM licensing_vaultuser WHERE vault_id = %s"""
_SETTLED = (
    """INSERT INTO licensing_linkstatus (subscription_id, link_id, prepared_generation, state, reason)
       SELECT subscription_id, id, generation, 'ready', '' FROM provisioning_grouplink WHERE subscription_id = %s""",
    "UPDATE provisioning_grouplink SET observed_generation = generation WHERE subscription_id = %s",
    "UPDATE provisioning_usergroup SET observed_generation = generation WHERE subscription_id = %s",
    """UPDATE licensing_vaultstatus SET due_at = now() + interval '1 day', compare_due_at = now() + interval '1 day',
       is_created = true WHERE subscription_id = %s""",
    """UPDATE provisioning_vaultusergroup SET remote_id = id WHERE remote_id IS NULL AND vault_id IN (
       SELECT id FROM provisioning_vault WHERE subscription_id = %s)""",
)
_ACCOUNT = """
INSERT INTO account (id, key, uid, username, username_key, full_name, email, license_type, enabled)
VALUES (?1, ?2, ?2, ?3, ?3, ?3, ?3, 1, 1)"""
_STRANGER = """
INSERT INTO account (id, key, username, username_key, full_name, email, license_type, enabled)
VALUES (?1, 'username:stranger' || ?2, 'stranger' || ?2, 'stranger' || ?2, '', '', 0, 1)"""
_USERS = """
INSERT INTO vault_user (vault, id, key, account_uid, account, enabled, roles, internal)
SELECT ?, id, coalesce(uid, 'user:' || id), uid, id, 1, 3, 1 FROM account"""
