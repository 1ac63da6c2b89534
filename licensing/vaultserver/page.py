"""The one page of the emulated vault server, which stands for M-Files Admin: look, and edit as a person."""

import json
from collections.abc import Sequence
from dataclasses import fields
from html import escape

from licensing.clients.agent import VaultInfo, VaultUser, VaultUserGroup
from licensing.vaultserver import groups, users
from licensing.vaultserver.core import VaultServer, vault_of, vault_row
from licensing.vaultserver.faults import Faults

SHOWN = 200
FAULTS = tuple(field.name for field in fields(Faults))
FAULT_SWITCHES = {
    "Down": '{"down": true}',
    "Errors": '{"error": 0.2}',
    "Resets": '{"reset": 0.2}',
    "Slow": '{"latency": 2}',
    "None": "{}",
}
"""What the page can switch on; the admin API can do the rest."""
STYLE = (
    "body{font:15px system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}table{border-collapse:collapse;"
    "width:100%;margin-bottom:2rem}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc}"
)
SCRIPT = """
document.addEventListener("click", async event => {
  const {method, path, body, ask} = event.target.dataset;
  if (!method) return;
  const given = ask ? prompt(ask) : "";
  if (ask && !given) return;
  const answer = await fetch(path.replace("ANSWER", encodeURIComponent(given)), {
    method,
    headers: {"Content-Type": "application/json"},
    body: body.replace("ANSWER", JSON.stringify(given).slice(1, -1)),
  });
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
    add = _button("POST", "/admin/vaults", '{"name": "ANSWER"}', "Add", ask="Name of the vault")
    heads = ("Name", "GUID", "Online", "User synchronization")
    return f"{_table('Vaults', heads, rows)}<p>{add}</p>{_faults(server)}{_backups()}"


def _faults(server: VaultServer) -> str:
    shown = [("all vaults", server.faults.general), *sorted(server.faults.by_vault.items())]
    rows = [
        (
            escape(place),
            *(
                escape(", ".join(sorted(found.refuse)) if name == "refuse" else str(getattr(found, name)))
                for name in FAULTS
            ),
        )
        for place, found in shown
    ]
    switches = [_button("PUT", "/admin/faults", body, label) for label, body in FAULT_SWITCHES.items()]
    return _table("Faults", ("Of", *FAULTS), rows) + f"<p>{' '.join(switches)}</p>"


def _backups() -> str:
    keep = _button("POST", "/admin/backups/ANSWER", "{}", "Back up", ask="Name of the backup")
    back = _button("POST", "/admin/backups/ANSWER/restore", "{}", "Restore", ask="Name of the backup to put back")
    return f"<h2>Backups</h2><p>{keep} {back}</p>"


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
        + "<p>"
        + " ".join(_button(*each[:4], ask=each[4]) for each in _additions(vault))
        + "</p>"
    )


def _additions(vault: str) -> list[tuple[str, str, str, str, str]]:
    path = f"/admin/vaults/{vault}"
    return [
        ("POST", f"{path}/users", '{"username": "ANSWER"}', "Add user", "Username"),
        ("POST", f"{path}/groups", '{"name": "ANSWER"}', "Add user group", "Name of the user group"),
        ("PATCH", path, '{"name": "ANSWER"}', "Rename vault", "New name of the vault"),
    ]


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
        body = f'{{"username": {json.dumps(user.username)}}}'
        undelete = _button("POST", f"/admin/vaults/{vault}/users", body, "Undelete") if user.username else ""
        return (str(user.id), name, str(user.roles), "deleted", undelete)
    enabled = _switch(path, "enabled", now=user.enabled)
    return (str(user.id), name, str(user.roles), enabled, _button("DELETE", path, "{}", "Delete"))


def _switch(path: str, field: str, *, now: bool) -> str:
    label, wanted = ("yes", "false") if now else ("no", "true")
    return _button("PATCH", path, f'{{"{field}": {wanted}}}', label)


def _button(method: str, path: str, body: str, label: str, *, ask: str = "") -> str:
    data = {"method": method, "path": path, "body": body, "ask": ask}
    attributes = " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items())
    return f"<button {attributes}>{label}</button>"


def _table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h2>{title}</h2><table><tr>{head}</tr>{body}</table>"
