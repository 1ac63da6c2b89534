"""Writes the tables of ``docs/roles.md`` from the table of roles, the rules and the URL configuration."""

from collections.abc import Set
from pathlib import Path
from typing import NamedTuple

from provisioning.permissions import ROLES, Permission, Role
from tests.trust.routes import routes
from tests.trust.rules import RULES

PAGE = Path(__file__).parents[2] / "docs" / "roles.md"
MARKS = ("<!-- begin: {} -->\n", "\n<!-- end: {} -->")


class Row(NamedTuple):
    """A row of 1-product §1.6: what a role without all of ``permissions`` but with some of them may, in words."""

    what: str
    permissions: Set[Permission]
    partly: str = ""
    wholly: str = "yes"


ROWS = (
    Row("Open the portal; see subscription, vaults, users", {Permission.SEE}),
    Row(
        "Licenses page: see pools; order (change purchased numbers)",
        {Permission.SEE_LICENSES, Permission.ORDER_LICENSES},
        "see only",
    ),
    Row(
        "Create, edit, disable, delete users; CSV import/export",
        {Permission.CHANGE_USERS, Permission.CHANGE_ADMINS},
        "yes, but cannot touch or appoint Billing or Subscription admins",
    ),
    Row("Vault admin rights (Full control), trusted persons", {Permission.CHANGE_VAULT_RIGHTS}),
    Row("Provisioning (configurations, groups, links, log, held changes)", {Permission.PROVISIONING}),
    Row(
        "Subscription settings and policies; give the Subscription admin role",
        {Permission.CHANGE_SETTINGS, Permission.CHANGE_ADMINS},
    ),
    Row("Audit log", {Permission.SEE_OWN_ACTS, Permission.SEE_ALL_ACTS}, "own acts", "all"),
)


def cell(row: Row, role: Role) -> str:
    """Return what the role may, as §1.6 says it."""
    has = row.permissions & ROLES[role]
    return row.wholly if has == row.permissions else row.partly if has else "–"


def roles_table() -> str:
    head = f"| Permission | {' | '.join(role.label for role in Role)} |\n|---|{'---|' * len(Role)}"
    lines = [f"| {row.what} | {' | '.join(cell(row, role) for role in Role)} |" for row in ROWS]
    return "\n".join([head, *lines])


def pages_table() -> str:
    """Return which address needs which permission, and so which roles."""
    lines = []
    for route in sorted(routes()):
        if route.name in RULES:
            permission = RULES[route.name].permission
            roles = ", ".join(role.label for role in Role if permission in ROLES[role])
            lines.append(f"| `/{route.pattern}` | {permission.name.replace('_', ' ').lower()} | {roles} |")
    return "\n".join(["| Address | Permission | Roles |\n|---|---|---|", *lines])


TABLES = {"roles": roles_table, "pages": pages_table}


def written(text: str) -> str:
    """Return ``text`` with both tables as they are now."""
    for name, table in TABLES.items():
        begin, end = (mark.format(name) for mark in MARKS)
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}{table()}{end}{rest.partition(end)[2]}"
    return text
