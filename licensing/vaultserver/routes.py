"""The addresses of the emulated vault server: ``/v1`` is the contract, ``/admin`` stands for M-Files Admin.

An endpoint takes the server, the request and the variable parts of the path, and returns what JSON shall say.
"""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request

from licensing.clients.agent import Figures, LoginAccount, Sessions, VaultUserWish
from licensing.clients.wire import load
from licensing.vaultserver import admin
from licensing.vaultserver.core import VaultServer
from licensing.vaultserver.faults import faults_from
from licensing.vaultserver.requests import document, given, key, needed, paging
from provisioning.license_types import LicenseType

Endpoint = Callable[..., Any]
VAULT = "/v1/vaults/<vault>"
GROUP = f"{VAULT}/groups/<int:group_id>"
ADMIN_VAULT = "/admin/vaults/<vault>"
ADMIN_GROUP = f"{ADMIN_VAULT}/groups/<int:group_id>"


def change_group_members(server: VaultServer, request: Request, vault: str, group_id: int) -> Any:
    changes = given(request, add=list[str], remove=list[str])
    return server.change_group_members(vault, group_id, **changes, **key(request))


def admin_add_login_account(server: VaultServer, request: Request) -> Any:
    admin.add_login_account(server, load(LoginAccount, {**document(request), "uid": None}))


def admin_change_login_account(server: VaultServer, request: Request, who: str) -> Any:
    changes = given(request, username=str, full_name=str, email=str, license_type=LicenseType, enabled=bool)
    return admin.change_login_account(server, who, **changes)


def admin_change_vault(server: VaultServer, request: Request, vault: str) -> Any:
    changes = given(request, name=str, online=bool, user_synchronization=bool, figures=Figures, sessions=Sessions)
    return admin.change_vault(server, vault, **changes)


def admin_add_user(server: VaultServer, request: Request, vault: str) -> Any:
    needed(request, "username", str)
    return admin.add_user(server, vault, **given(request, username=str, enabled=bool, roles=int, internal=bool))


def admin_change_user(server: VaultServer, request: Request, vault: str, who: str) -> Any:
    return admin.change_user(server, vault, who, **given(request, enabled=bool, roles=int, internal=bool))


def admin_change_group(server: VaultServer, request: Request, vault: str, group_id: int) -> Any:
    return admin.change_group(server, vault, group_id, **given(request, name=str, visible=bool))


def admin_change_members(server: VaultServer, request: Request, vault: str, group_id: int) -> Any:
    changes = given(request, add=list[str], remove=list[str])
    return admin.change_members(server, vault, group_id, **changes)


def admin_set_faults(server: VaultServer, request: Request) -> Any:
    """Switch faults on or off, for one vault if the document names one; an empty document clears all."""
    body = document(request)
    if body:
        server.faults.put(faults_from(body), vault=given(request, vault=str).get("vault"))
    else:
        server.faults.clear()


CONTRACT: list[tuple[str, str, Endpoint]] = [
    ("GET", "/v1/server", lambda server, _: server.get_server()),
    ("GET", "/v1/vaults", lambda server, _: server.list_vaults()),
    ("GET", VAULT, lambda server, _, vault: server.get_vault(vault)),
    ("PUT", VAULT, lambda s, r, vault: s.create_vault(vault, name=needed(r, "name", str), **key(r))),
    ("GET", f"{VAULT}/login-accounts", lambda s, r, vault: s.list_login_accounts(vault, **paging(r))),
    (
        "POST",
        f"{VAULT}/login-accounts/put",
        lambda s, r, vault: s.put_login_accounts(vault, needed(r, "accounts", list[LoginAccount]), **key(r)),
    ),
    (
        "POST",
        f"{VAULT}/login-accounts/remove",
        lambda s, r, vault: s.remove_login_accounts(vault, needed(r, "uids", list[str]), **key(r)),
    ),
    ("GET", f"{VAULT}/users", lambda s, r, vault: s.list_vault_users(vault, **paging(r))),
    ("POST", f"{VAULT}/users/get", lambda s, r, vault: s.get_vault_users(vault, needed(r, "keys", list[str]))),
    (
        "POST",
        f"{VAULT}/users/put",
        lambda s, r, vault: s.put_vault_users(vault, needed(r, "users", list[VaultUserWish]), **key(r)),
    ),
    ("GET", f"{VAULT}/groups", lambda s, _, vault: s.list_groups(vault)),
    (
        "POST",
        f"{VAULT}/groups/ensure",
        lambda s, r, vault: s.ensure_group(vault, needed(r, "name", str), **key(r)),
    ),
    (
        "POST",
        f"{GROUP}/change",
        lambda s, r, vault, group_id: s.change_group(vault, group_id, visible=needed(r, "visible", bool), **key(r)),
    ),
    (
        "GET",
        f"{GROUP}/members",
        lambda s, r, vault, group_id: s.list_group_members(vault, group_id, **paging(r)),
    ),
    ("POST", f"{GROUP}/members/change", change_group_members),
]

ADMIN: list[tuple[str, str, Endpoint]] = [
    ("POST", "/admin/vaults", lambda s, r: admin.create_vault(s, name=needed(r, "name", str), **given(r, vault=str))),
    ("PATCH", ADMIN_VAULT, admin_change_vault),
    ("DELETE", ADMIN_VAULT, lambda s, _, vault: admin.delete_vault(s, vault)),
    ("POST", "/admin/login-accounts", admin_add_login_account),
    ("PATCH", "/admin/login-accounts/<who>", admin_change_login_account),
    ("DELETE", "/admin/login-accounts/<who>", lambda s, _, who: admin.delete_login_account(s, who)),
    ("POST", f"{ADMIN_VAULT}/users", admin_add_user),
    ("PATCH", f"{ADMIN_VAULT}/users/<who>", admin_change_user),
    ("DELETE", f"{ADMIN_VAULT}/users/<who>", lambda s, _, vault, who: admin.delete_user(s, vault, who)),
    ("POST", f"{ADMIN_VAULT}/groups", lambda s, r, vault: admin.add_group(s, vault, needed(r, "name", str))),
    ("PATCH", ADMIN_GROUP, admin_change_group),
    ("DELETE", ADMIN_GROUP, lambda s, _, vault, group_id: admin.delete_group(s, vault, group_id)),
    ("POST", f"{ADMIN_GROUP}/members", admin_change_members),
    ("PUT", "/admin/faults", admin_set_faults),
    ("POST", "/admin/backups/<name>", lambda s, _, name: admin.back_up(s, name)),
    ("POST", "/admin/backups/<name>/restore", lambda s, _, name: admin.restore(s, name)),
]

ROUTES = Map([Rule(path, methods=[method], endpoint=endpoint) for method, path, endpoint in CONTRACT + ADMIN])
