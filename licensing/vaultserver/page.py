"""The one page of the emulated vault server, which stands for M-Files Admin: look, and edit as a person."""

from collections.abc import Sequence
from html import escape

from licensing.clients.agent import VaultInfo, VaultUser, VaultUserGroup
from licensing.vaultserver import groups, users
from licensing.vaultserver.core import VaultServer, vault_of, vault_row

SHOWN = 200
STYLE = (
    "body{font:15px system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}table{border-collapse:collapse;"
    "width:100%;margin-bottom:2rem}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc}"
)
SCRIPT = """
document.addEventListener("click", async event => {
  const {method, path, body} = event.target.dataset;
  if (!method) return;
  const headers = {"Content-Type": "application/json"};
  const answer = await fetch(path, {method, headers, body: body || "{}"});
  if (answer.ok) location.reload(); else alert((await answer.json()).message);
});
"""


def render(server: VaultServer, vault: str | None) -> str:
    """Return the page: all vaults, or the users and groups of one."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Emulated vault server</title>'
        f"<style>{STYLE}</style><h1>Emulated vault server</h1>"
        + (_vaults(server) if vault is None else _vault(server, vault))
        + f"<script>{SCRIPT}</script></html>"
    )


def _vaults(server: VaultServer) -> str:
    rows = [
        (f'<a href="/?vault={escape(info.guid)}">{escape(info.name)}</a>', escape(info.guid), *_switches(info))
        for info in server.list_vaults()
    ]
    return _table("Vaults", ("Name", "GUID", "Online", "User synchronization"), rows)


def _switches(info: VaultInfo) -> tuple[str, str]:
    path = f"/admin/vaults/{info.guid}"
    return (
        _switch(path, "online", now=info.online),
        _switch(path, "user_synchronization", now=info.user_synchronization),
    )


def _vault(server: VaultServer, vault: str) -> str:
    with server.store.reading() as db:
        info = vault_of(vault_row(db, vault))
        found = [users.user_of(row) for row in users.page(db, vault, after="", limit=SHOWN)]
        members = [
            (group, len(groups.members(db, vault, group, after="", limit=SHOWN))) for group in groups.all_of(db, vault)
        ]
    return (
        f'<p><a href="/">All vaults</a></p><h2>{escape(info.name)}</h2>'
        + _table("User groups", ("ID", "Name", "Members", "Visible"), [_group_cells(vault, *each) for each in members])
        + _table(
            f"Users (the first {SHOWN})",
            ("ID", "Username", "Roles", "Enabled", ""),
            [_user_cells(vault, user) for user in found],
        )
    )


def _group_cells(vault: str, group: VaultUserGroup, count: int) -> tuple[str, ...]:
    members = f"{count}{'+' if count == SHOWN else ''}"
    if group.built_in:
        return (str(group.id), f"{escape(group.name)} (built-in)", members, "yes")
    visible = _switch(f"/admin/vaults/{vault}/groups/{group.id}", "visible", now=group.visible)
    return (str(group.id), escape(group.name), members, visible)


def _user_cells(vault: str, user: VaultUser) -> tuple[str, ...]:
    path = f"/admin/vaults/{vault}/users/{user.key}"
    name = "(detached)" if user.username is None else escape(user.username)
    if user.deleted:
        return (str(user.id), name, str(user.roles), "deleted", "")
    enabled = _switch(path, "enabled", now=user.enabled)
    return (str(user.id), name, str(user.roles), enabled, _button("DELETE", path, "{}", "Delete"))


def _switch(path: str, field: str, *, now: bool) -> str:
    label, wanted = ("yes", "false") if now else ("no", "true")
    return _button("PATCH", path, f'{{"{field}": {wanted}}}', label)


def _button(method: str, path: str, body: str, label: str) -> str:
    return f'<button data-method="{method}" data-path="{escape(path)}" data-body="{escape(body)}">{label}</button>'


def _table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h2>{title}</h2><table><tr>{head}</tr>{body}</table>"
