"""The contract over HTTP and JSON (``docs/vault-agent.md``)."""

import re
import ssl
from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import orjson

from licensing.clients import wire
from licensing.clients.agent import (
    CONTRACT_VERSION,
    AgentError,
    AgentRefused,
    AgentUnavailable,
    ErrorCode,
    GroupMember,
    ItemResult,
    LoginAccount,
    Page,
    ServerInfo,
    VaultInfo,
    VaultUser,
    VaultUserGroup,
    VaultUserWish,
)
from licensing.clients.calls import KEY_HEADER, VERSION_HEADER

T = TypeVar("T")
_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
CONNECT_TIMEOUT = 5.0
# Longer than a server keeps an idle connection would make the first call after a pause fail.
KEEPALIVE_EXPIRY = 4.0


class HttpVaultAgent:
    """A ``VaultAgent`` behind a URL; keeps connections, may be shared by threads, to be closed at the end.

    ``timeout`` is the longest silence in seconds within a call. ``verify`` takes an ``SSLContext``, for an own
    certificate authority or a client certificate. Proxies of the environment are not used.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        timeout: float = 30.0,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        headers = {VERSION_HEADER: str(CONTRACT_VERSION), "Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx.Client(
            base_url=url.rstrip("/"),
            headers=headers,
            timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT)),
            limits=httpx.Limits(max_connections=32, keepalive_expiry=KEEPALIVE_EXPIRY),
            # Loading the system's authorities costs 0.1 s, for nothing when there is no TLS.
            verify=verify if url.startswith("https:") else False,
            trust_env=False,
        )

    def __enter__(self) -> "HttpVaultAgent":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get_server(self) -> ServerInfo:
        return self._get(ServerInfo, "/v1/server")

    def list_vaults(self) -> tuple[VaultInfo, ...]:
        return self._get(tuple[VaultInfo, ...], "/v1/vaults")

    def get_vault(self, vault: str) -> VaultInfo:
        return self._get(VaultInfo, _path(vault))

    def create_vault(self, vault: str, *, name: str, idempotency_key: str) -> VaultInfo:
        return self._send(VaultInfo, "PUT", _path(vault), {"name": name}, key=idempotency_key)

    def list_login_accounts(self, vault: str, *, cursor: str | None = None, limit: int = 1000) -> Page[LoginAccount]:
        return self._get(Page[LoginAccount], _path(vault, "login-accounts"), cursor=cursor, limit=limit)

    def put_login_accounts(
        self, vault: str, accounts: Sequence[LoginAccount], *, idempotency_key: str
    ) -> list[ItemResult]:
        body = {"accounts": wire.dump(list(accounts))}
        return self._post_items(_path(vault, "login-accounts/put"), body, key=idempotency_key)

    def remove_login_accounts(self, vault: str, uids: Sequence[str], *, idempotency_key: str) -> list[ItemResult]:
        return self._post_items(_path(vault, "login-accounts/remove"), {"uids": list(uids)}, key=idempotency_key)

    def list_vault_users(self, vault: str, *, cursor: str | None = None, limit: int = 1000) -> Page[VaultUser]:
        return self._get(Page[VaultUser], _path(vault, "users"), cursor=cursor, limit=limit)

    def get_vault_users(self, vault: str, keys: Sequence[str]) -> list[VaultUser]:
        return self._send(list[VaultUser], "POST", _path(vault, "users/get"), {"keys": list(keys)})

    def put_vault_users(self, vault: str, users: Sequence[VaultUserWish], *, idempotency_key: str) -> list[ItemResult]:
        body = {"users": wire.dump(list(users))}
        return self._post_items(_path(vault, "users/put"), body, key=idempotency_key)

    def list_groups(self, vault: str) -> tuple[VaultUserGroup, ...]:
        return self._get(tuple[VaultUserGroup, ...], _path(vault, "groups"))

    def ensure_group(self, vault: str, name: str, *, idempotency_key: str) -> VaultUserGroup:
        path = _path(vault, "groups/ensure")
        return self._send(VaultUserGroup, "POST", path, {"name": name}, key=idempotency_key)

    def change_group(self, vault: str, group_id: int, *, visible: bool, idempotency_key: str) -> VaultUserGroup:
        path = _path(vault, f"groups/{group_id}/change")
        return self._send(VaultUserGroup, "POST", path, {"visible": visible}, key=idempotency_key)

    def list_group_members(
        self, vault: str, group_id: int, *, cursor: str | None = None, limit: int = 1000
    ) -> Page[GroupMember]:
        path = _path(vault, f"groups/{group_id}/members")
        return self._get(Page[GroupMember], path, cursor=cursor, limit=limit)

    def change_group_members(
        self,
        vault: str,
        group_id: int,
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        idempotency_key: str,
    ) -> list[ItemResult]:
        body = {"add": list(add), "remove": list(remove)}
        return self._post_items(_path(vault, f"groups/{group_id}/members/change"), body, key=idempotency_key)

    def _get(self, kind: type[T], path: str, **query: Any) -> T:
        given = {name: value for name, value in query.items() if value is not None}
        return self._call(kind, self._http.build_request("GET", path, params=given or None))

    def _post_items(self, path: str, body: dict[str, Any], *, key: str) -> list[ItemResult]:
        return self._send(list[ItemResult], "POST", path, body, key=key)

    def _send(self, kind: type[T], method: str, path: str, body: dict[str, Any], *, key: str | None = None) -> T:
        headers = {} if key is None else {KEY_HEADER: key}
        content = orjson.dumps(body)
        return self._call(kind, self._http.build_request(method, path, content=content, headers=headers))

    def _call(self, kind: type[T], request: httpx.Request) -> T:
        try:
            response = self._http.send(request)
        except httpx.TimeoutException as error:
            raise AgentUnavailable("The vault agent did not answer in time.") from error
        except httpx.TransportError as error:
            reason = _ERRNO.sub("", str(error)) or type(error).__name__
            raise AgentUnavailable(f"The vault agent cannot be reached: {reason}.") from error
        if response.is_success:
            return _answer(kind, response)
        raise _failure(response)


def _path(vault: str, rest: str = "") -> str:
    return f"/v1/vaults/{quote(vault, safe='')}" + (f"/{rest}" if rest else "")


def _answer(kind: type[T], response: httpx.Response) -> T:
    if VERSION_HEADER not in response.headers:
        raise _not_an_agent(response)
    try:
        return wire.load(kind, orjson.loads(response.content))
    except ValueError as error:
        raise AgentUnavailable(f"The vault agent's answer is not what was agreed: {error}") from error


def _failure(response: httpx.Response) -> AgentUnavailable | AgentRefused:
    if response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return AgentUnavailable(_sentence(response), retry_after=_retry_after(response))
    refusal = _refusal(response)
    if refusal is None:
        return _not_an_agent(response)
    return AgentRefused(refusal.code, refusal.sentence, retryable=refusal.retryable)


def _refusal(response: httpx.Response) -> AgentError | None:
    try:
        return wire.load(AgentError, orjson.loads(response.content))
    except ValueError:
        return None


def _sentence(response: httpx.Response) -> str:
    refusal = _refusal(response)
    return refusal.sentence if refusal else f"The vault agent answered {response.status_code}."


def _retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None


def _not_an_agent(response: httpx.Response) -> AgentRefused:
    sentence = f"No vault agent answers at this address (HTTP {response.status_code})."
    return AgentRefused(ErrorCode.NOT_AN_AGENT, sentence)
