"""The HTTP form of the contract as one table: the emulated server's routes and the OpenAPI description come from it.

A call is a method of ``VaultAgent``: what it takes and answers is read from that method's signature.
"""

import inspect
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from licensing.clients.agent import ErrorCode, Page, VaultAgent

VERSION_HEADER = "Vault-Agent-Version"
KEY_HEADER = "Idempotency-Key"
PATH_VARIABLES = {"guid": "vault", "id": "group_id"}
"""Names in the addresses, and the arguments that they are in Python."""
NOT_IN_BODY = frozenset({*PATH_VARIABLES.values(), "cursor", "limit", "idempotency_key"})

_VAULT = "/v1/vaults/{guid}"
_GROUP = f"{_VAULT}/groups/{{id}}"
_LOGINS = "ServerLoginAccountOperations"
_USERS = "VaultUserOperations"
_GROUPS = "VaultUserGroupOperations"


@dataclass(frozen=True)
class Call:
    """One call: ``name`` is the method of ``VaultAgent``, ``path`` has the variables of ``PATH_VARIABLES``.

    ``refusals`` are those of the whole call that not every call has, ``failures`` those of one item; ``com`` names
    the M-Files COM calls that it maps to.
    """

    name: str
    method: str
    path: str
    com: tuple[str, ...]
    refusals: tuple[ErrorCode, ...] = ()
    failures: tuple[ErrorCode, ...] = ()

    @cached_property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """The parameters of the Python method, by name, without ``self``."""
        found = dict(inspect.signature(getattr(VaultAgent, self.name)).parameters)
        return {name: parameter for name, parameter in found.items() if name != "self"}

    @cached_property
    def kinds(self) -> dict[str, Any]:
        """The types of the parameters, and of the answer under ``return``; a sequence is a list."""
        hints = typing.get_type_hints(getattr(VaultAgent, self.name))
        return {name: _listed(hint) for name, hint in hints.items()}

    @cached_property
    def body(self) -> dict[str, bool]:
        """The fields of the body by name, and whether each must be there."""
        return {
            name: parameter.default is inspect.Parameter.empty
            for name, parameter in self.parameters.items()
            if name not in NOT_IN_BODY
        }

    @property
    def is_paged(self) -> bool:
        """Whether it answers one page of a listing."""
        return typing.get_origin(self.kinds["return"]) is Page

    @property
    def is_change(self) -> bool:
        """Whether it takes an idempotency key."""
        return "idempotency_key" in self.parameters

    @property
    def is_bulk(self) -> bool:
        """Whether it carries items, at most ``MAX_ITEMS`` together."""
        return any(typing.get_origin(self.kinds[name]) is list for name in self.body)


def _listed(hint: Any) -> Any:
    return list[typing.get_args(hint)[0]] if typing.get_origin(hint) is Sequence else hint  # type: ignore[misc]


CALLS: tuple[Call, ...] = (
    Call(
        "get_server",
        "GET",
        "/v1/server",
        ("MFilesServerApplication.ConnectAdministrativeEx", "MFilesServerApplication.GetServerVersion"),
    ),
    Call(
        "list_vaults",
        "GET",
        "/v1/vaults",
        (
            "MFilesServerApplication.GetVaults",
            "MFilesServerApplication.GetOnlineVaults",
            f"{_LOGINS}.GetLoginAccountsWithSessions",
        ),
    ),
    Call(
        "get_vault",
        "GET",
        _VAULT,
        (
            "MFilesServerApplication.GetVaults",
            "MFilesServerApplication.GetOnlineVaults",
            f"{_LOGINS}.GetLoginAccountsWithSessions",
        ),
        (ErrorCode.VAULT_NOT_FOUND,),
    ),
    Call("create_vault", "PUT", _VAULT, ("ServerVaultManagementOperations.CreateNewVault",), (ErrorCode.NOT_FOUND,)),
    Call(
        "list_login_accounts",
        "GET",
        f"{_VAULT}/login-accounts",
        (f"{_LOGINS}.GetLoginAccounts",),
        (ErrorCode.VAULT_NOT_FOUND,),
    ),
    Call(
        "put_login_accounts",
        "POST",
        f"{_VAULT}/login-accounts/put",
        (
            f"{_LOGINS}.AddLoginAccount",
            f"{_LOGINS}.ModifyLoginAccount",
            f"{_LOGINS}.RemoveLoginAccount",
            f"{_USERS}.ModifyUserAccount",
        ),
        (ErrorCode.VAULT_NOT_FOUND,),
        (ErrorCode.USERNAME_TAKEN, ErrorCode.REFUSED_BY_SERVER),
    ),
    Call(
        "remove_login_accounts",
        "POST",
        f"{_VAULT}/login-accounts/remove",
        (f"{_LOGINS}.RemoveLoginAccount",),
        (ErrorCode.VAULT_NOT_FOUND,),
        (ErrorCode.REFUSED_BY_SERVER,),
    ),
    Call("list_vault_users", "GET", f"{_VAULT}/users", (f"{_USERS}.GetUserAccounts",), (ErrorCode.VAULT_NOT_FOUND,)),
    Call(
        "get_vault_users",
        "POST",
        f"{_VAULT}/users/get",
        (f"{_USERS}.GetUserAccount",),
        (ErrorCode.VAULT_NOT_FOUND,),
    ),
    Call(
        "put_vault_users",
        "POST",
        f"{_VAULT}/users/put",
        (f"{_USERS}.AddOrUndeleteUserAccount", f"{_USERS}.ModifyUserAccount"),
        (ErrorCode.VAULT_NOT_FOUND, ErrorCode.USER_SYNCHRONIZATION_ON),
        (
            ErrorCode.ACCOUNT_NOT_FOUND,
            ErrorCode.DISABLED_BY_PERSON,
            ErrorCode.CHANGED_MEANWHILE,
            ErrorCode.REFUSED_BY_SERVER,
        ),
    ),
    Call("list_groups", "GET", f"{_VAULT}/groups", (f"{_GROUPS}.GetUserGroupsAdmin",), (ErrorCode.VAULT_NOT_FOUND,)),
    Call(
        "ensure_group",
        "POST",
        f"{_VAULT}/groups/ensure",
        (f"{_GROUPS}.AddUserGroupAdmin",),
        (ErrorCode.VAULT_NOT_FOUND, ErrorCode.USER_SYNCHRONIZATION_ON),
    ),
    Call(
        "change_group",
        "POST",
        f"{_GROUP}/change",
        (f"{_GROUPS}.GetUserGroupAdmin", f"{_GROUPS}.UpdateUserGroupAdmin"),
        (
            ErrorCode.VAULT_NOT_FOUND,
            ErrorCode.GROUP_NOT_FOUND,
            ErrorCode.USER_SYNCHRONIZATION_ON,
            ErrorCode.GROUP_BUILT_IN,
        ),
    ),
    Call(
        "list_group_members",
        "GET",
        f"{_GROUP}/members",
        (f"{_GROUPS}.GetUserGroupAdmin",),
        (ErrorCode.VAULT_NOT_FOUND, ErrorCode.GROUP_NOT_FOUND),
    ),
    Call(
        "change_group_members",
        "POST",
        f"{_GROUP}/members/change",
        (
            f"{_GROUPS}.GetUserGroupAdmin",
            "UserGroup.AddMember",
            "UserGroup.RemoveMember",
            f"{_GROUPS}.UpdateUserGroupAdmin",
        ),
        (
            ErrorCode.VAULT_NOT_FOUND,
            ErrorCode.GROUP_NOT_FOUND,
            ErrorCode.USER_SYNCHRONIZATION_ON,
            ErrorCode.GROUP_BUILT_IN,
        ),
        (ErrorCode.USER_NOT_FOUND, ErrorCode.GROUP_CYCLE, ErrorCode.REFUSED_BY_SERVER),
    ),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a code of an error means; ``status`` None: only an item of a bulk call fails with it."""

    status: int | None
    retryable: bool
    meaning: str


REFUSALS: dict[ErrorCode, Refusal] = {
    ErrorCode.INVALID_REQUEST: Refusal(400, False, "The request is not of the agreed form; the message says where."),
    ErrorCode.TOO_MANY_ITEMS: Refusal(400, False, "The call carries more items than a bulk call may."),
    ErrorCode.VERSION_NOT_SUPPORTED: Refusal(400, False, "The agent does not speak this version of the contract."),
    ErrorCode.UNAUTHORIZED: Refusal(401, False, "Neither the bearer token nor a client certificate is accepted."),
    ErrorCode.NOT_FOUND: Refusal(404, False, "The agent has no such call."),
    ErrorCode.VAULT_NOT_FOUND: Refusal(404, False, "The server has no vault of this GUID."),
    ErrorCode.GROUP_NOT_FOUND: Refusal(404, False, "The vault has no user group of this number."),
    ErrorCode.USER_SYNCHRONIZATION_ON: Refusal(
        409, False, "M-Files synchronizes the users of this vault itself; a person must turn that off."
    ),
    ErrorCode.GROUP_BUILT_IN: Refusal(409, False, "The group is built in; nobody can change it."),
    ErrorCode.IDEMPOTENCY_KEY_REUSED: Refusal(422, False, "The idempotency key was used for another request."),
    ErrorCode.UNAVAILABLE: Refusal(
        503, True, "The vault is offline or the server is down; whether it acted is unknown."
    ),
    ErrorCode.USERNAME_TAKEN: Refusal(None, False, "Another account has this username."),
    ErrorCode.ACCOUNT_NOT_FOUND: Refusal(None, True, "Its login account is not there yet."),
    ErrorCode.USER_NOT_FOUND: Refusal(None, True, "The vault has no such user or group yet."),
    ErrorCode.DISABLED_BY_PERSON: Refusal(None, False, "A person disabled this user in the vault."),
    ErrorCode.CHANGED_MEANWHILE: Refusal(None, True, "The user is not as it was when this was decided; look again."),
    ErrorCode.GROUP_CYCLE: Refusal(None, False, "The group would be a member of itself."),
    ErrorCode.REFUSED_BY_SERVER: Refusal(None, False, "M-Files declined; the message is its own."),
}
"""Every code that an agent may answer, in the order of docs/vault-agent.md."""


def refusals_of(call: Call) -> list[ErrorCode]:
    """Return the codes that the call may be refused with as a whole."""
    every = {
        ErrorCode.INVALID_REQUEST,
        ErrorCode.VERSION_NOT_SUPPORTED,
        ErrorCode.UNAUTHORIZED,
        ErrorCode.UNAVAILABLE,
        *call.refusals,
    }
    if call.is_bulk:
        every.add(ErrorCode.TOO_MANY_ITEMS)
    if call.is_change:
        every.add(ErrorCode.IDEMPOTENCY_KEY_REUSED)
    return [code for code in REFUSALS if code in every]
