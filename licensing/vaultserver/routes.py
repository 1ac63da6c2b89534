"""The addresses of the emulated vault server: ``/v1`` is the contract, ``/admin`` stands for M-Files Admin.

An endpoint takes the server, the request and the variable parts of the path, and returns what JSON shall say.
"""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request

from licensing.clients.agent import Figures, LoginAccount, Sessions
from licensing.clients.calls import CALLS, Call
from licensing.clients.openapi import describe
from licensing.clients.wire import LARGEST_NUMBER, load
from licensing.vaultserver import admin
from licensing.vaultserver.core import VaultServer
from licensing.vaultserver.faults import faults_from
from licensing.vaultserver.requests import body, document, given, key, needed, paging
from provisioning.license_types import LicenseType

Endpoint = Callable[..., Any]
ADMIN_VAULT = "/admin/vaults/<vault>"
ADMIN_GROUP = f"{ADMIN_VAULT}/groups/<int(max={LARGEST_NUMBER}):group_id>"


def _rule(call: Call) -> str:
    return call.path.replace("{guid}", "<vault>").replace("{id}", f"<int(max={LARGEST_NUMBER}):group_id>")


def _endpoint(call: Call) -> Endpoint:
    def act(server: VaultServer, request: Request, **arguments: Any) -> Any:
        arguments |= body(request, call)
        arguments |= paging(request) if call.is_paged else {}
        arguments |= key(request) if call.is_change else {}
        return getattr(server, call.name)(**arguments)

    return act


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
    faults = document(request)
    if faults:
        server.faults.put(faults_from(faults), vault=given(request, vault=str).get("vault"))
    else:
        server.faults.clear()


CONTRACT: list[tuple[str, str, Endpoint]] = [(call.method, _rule(call), _endpoint(call)) for call in CALLS]

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

DESCRIPTION: list[tuple[str, str, Endpoint]] = [("GET", "/v1/openapi.json", lambda _server, _request: describe())]

ROUTES = Map(
    [Rule(path, methods=[method], endpoint=endpoint) for method, path, endpoint in CONTRACT + ADMIN + DESCRIPTION]
)
