"""Members of user groups as set operations: a constant number of statements, whatever the size of the group.

Plain SQL on purpose: ``INSERT … SELECT … ON CONFLICT DO NOTHING RETURNING`` tells in one statement who is new, which
``bulk_create(ignore_conflicts=True)`` cannot. The ids travel as one JSON parameter, so their number is not limited by
the database's parameters and the statement's text never changes.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db import connection

from provisioning.models import UserGroup
from provisioning.services import wakes
from provisioning.sql import Row, Statement, id_list, run, run_alone

Known = dict[str, int]
"""Row ids of accounts by their SCIM ids."""

_SHOWN_IDS = 10


@dataclass(frozen=True, slots=True)
class MemberChange:
    """A step on a group's members: SCIM ids to add or remove, the ids that replace all, or (clear) nobody left."""

    kind: Literal["add", "remove", "replace", "clear"]
    ids: tuple[str, ...] = ()


@dataclass(slots=True)
class Outcome:
    """Who became and who stopped being a member (row ids), and which SCIM ids are nobody's (decision D-08)."""

    added: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    nestings: int = 0

    @property
    def changed(self) -> bool:
        return bool(self.added or self.removed or self.nestings)

    def summary(self) -> dict[str, list[Any]]:
        """Return the change of ``members`` for the provisioning log: how many left, how many came."""
        if not self.changed:
            return {}
        return {"members": [f"{len(self.removed)} removed", f"{len(self.added)} added"]}

    def warning(self) -> str:
        """Return a sentence about skipped ids, or an empty text."""
        if not self.unknown:
            return ""
        shown = ", ".join(sorted(self.unknown)[:_SHOWN_IDS])
        return f"Skipped {len(self.unknown)} member(s) that this configuration does not know: {shown}"


def apply(group: UserGroup, changes: Sequence[MemberChange]) -> Outcome:
    """Take these steps in order, in the caller's transaction, and wake exactly those who came or left."""
    outcome = Outcome()
    if not changes:
        return outcome
    known = _accounts(group, changes)
    for change in changes:
        _STEPS[change.kind](group, change.ids, known, outcome)
    if outcome.added or outcome.removed:
        run_alone(wakes.accounts(outcome.added | outcome.removed))
    return outcome


def _add(group: UserGroup, ids: Sequence[str], known: Known, outcome: Outcome) -> None:
    members = [known[one] for one in ids if one in known]
    if members:
        rows = _run(_INSERT_MEMBERS, group.subscription_id, group.pk, _json(members))
        outcome.added |= {row[0] for row in rows}
        outcome.removed -= {row[0] for row in rows}
    if rest := set(ids) - known.keys():
        children = _groups(group, rest)
        if children:
            outcome.nestings += len(_run(_INSERT_NESTINGS, group.subscription_id, group.pk, _json(children.values())))
        outcome.unknown |= rest - children.keys()


def _remove(group: UserGroup, ids: Sequence[str], known: Known, outcome: Outcome) -> None:
    members = [known[one] for one in ids if one in known]
    if members:
        rows = {row[0] for row in _run(_DELETE_MEMBERS, group.pk, _json(members))}
        outcome.removed |= rows
        outcome.added -= rows
    if rest := set(ids) - known.keys():
        outcome.nestings += len(_run(_DELETE_NESTINGS, group.pk, _json(rest)))


def _replace(group: UserGroup, ids: Sequence[str], known: Known, outcome: Outcome) -> None:
    staying = [known[one] for one in ids if one in known]
    rows = {row[0] for row in _run(_DELETE_OTHER_MEMBERS, group.pk, _json(staying))}
    outcome.removed |= rows
    outcome.added -= rows
    outcome.nestings += len(_run(_DELETE_OTHER_NESTINGS, group.pk, _json(ids)))
    if ids:
        _add(group, ids, known, outcome)


def _clear(group: UserGroup, _ids: Sequence[str], known: Known, outcome: Outcome) -> None:
    _replace(group, (), known, outcome)


_STEPS = {"add": _add, "remove": _remove, "replace": _replace, "clear": _clear}


def _accounts(group: UserGroup, changes: Sequence[MemberChange]) -> Known:
    """Return the accounts that the steps name, locked in key order: parallel calls and removals cannot deadlock.

    Where a step empties the group, its members are locked with them.
    """
    ids = _json(one for change in changes for one in change.ids)
    if any(change.kind in {"replace", "clear"} for change in changes):
        rows = _run(_SELECT_ACCOUNTS_AND_MEMBERS, group.configuration_id, ids, group.pk)
    else:
        rows = _run(_SELECT_ACCOUNTS, group.configuration_id, ids)
    return dict(rows)


def _groups(group: UserGroup, ids: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = dict(_run(_SELECT_GROUPS, group.configuration_id, _json(ids)))
    found.pop(group.scim_id, None)
    return found


def _json(values: Iterable[Any]) -> str:
    return json.dumps(sorted(set(values)))


def _run(text: str, *parameters: Any) -> list[Row]:
    return run(Statement(text.format(numbers=id_list(), **_DIALECTS[connection.vendor]), parameters))


_DIALECTS = {
    "postgresql": {
        "texts": "SELECT value FROM jsonb_array_elements_text(%s::jsonb) AS ids(value)",
        "lock": "FOR NO KEY UPDATE",
    },
    "sqlite": {
        "texts": "SELECT value FROM json_each(%s)",
        "lock": "",
    },
}
_SELECT_ACCOUNTS = """
SELECT scim_id, id FROM provisioning_loginaccount
WHERE configuration_id = %s AND scim_id IN ({texts}) ORDER BY id {lock}"""
_SELECT_ACCOUNTS_AND_MEMBERS = """
SELECT scim_id, id FROM provisioning_loginaccount WHERE configuration_id = %s AND (scim_id IN ({texts})
OR id IN (SELECT account_id FROM provisioning_groupmembership WHERE group_id = %s)) ORDER BY id {lock}"""
_SELECT_GROUPS = """
SELECT scim_id, id FROM provisioning_usergroup
WHERE configuration_id = %s AND deleted_at IS NULL AND scim_id IN ({texts})"""
_INSERT_MEMBERS = """
INSERT INTO provisioning_groupmembership (subscription_id, group_id, account_id)
SELECT %s, %s, member.value FROM ({numbers}) AS member WHERE true
ON CONFLICT DO NOTHING RETURNING account_id"""
_INSERT_NESTINGS = """
INSERT INTO provisioning_groupnesting (subscription_id, group_id, child_id)
SELECT %s, %s, child.value FROM ({numbers}) AS child WHERE true
ON CONFLICT DO NOTHING RETURNING child_id"""
_DELETE_MEMBERS = """
DELETE FROM provisioning_groupmembership WHERE group_id = %s
AND account_id IN ({numbers})
RETURNING account_id"""
# Whose removal is held has gone from SCIM, and stays a member until somebody decides.
_DELETE_OTHER_MEMBERS = """
DELETE FROM provisioning_groupmembership WHERE group_id = %s
AND account_id NOT IN ({numbers})
AND EXISTS (SELECT 1 FROM provisioning_loginaccount a WHERE a.id = account_id AND a.scim_id IS NOT NULL)
RETURNING account_id"""
_DELETE_NESTINGS = """
DELETE FROM provisioning_groupnesting WHERE group_id = %s
AND child_id IN (SELECT id FROM provisioning_usergroup WHERE scim_id IN ({texts}))
RETURNING child_id"""
_DELETE_OTHER_NESTINGS = """
DELETE FROM provisioning_groupnesting WHERE group_id = %s
AND child_id NOT IN (SELECT id FROM provisioning_usergroup WHERE scim_id IN ({texts}))
RETURNING child_id"""
