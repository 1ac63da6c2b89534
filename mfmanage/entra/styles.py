"""The two forms in which Entra writes the operations of a PATCH, each a set of four functions."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from mfmanage.entra.mapping import ENTERPRISE, Change, Json

MANAGER_PATH = f"{ENTERPRISE}:manager"


class Style(StrEnum):
    """Entra's names: without a flag, and with the flag ``aadOptscim062020`` in the Tenant URL."""

    DEFAULT = "default"
    AAD_OPT_SCIM = "aadOptscim062020"


class Dialect(NamedTuple):
    """How a style writes each kind of change; every function returns the operations of one PATCH."""

    attributes: Callable[[Sequence[Change]], list[Json]]
    manager: Callable[[str | None, str | None], list[Json]]
    add_members: Callable[[Sequence[str]], list[Json]]
    remove_members: Callable[[Sequence[str]], list[Json]]


def _verbose_attributes(changes: Sequence[Change]) -> list[Json]:
    """One operation an attribute, capitalized, booleans as text (E-PAT-01, -23)."""
    return [
        {
            "op": "Replace" if change.is_filled else "Add",
            "path": change.target.path,
            "value": str(change.value) if isinstance(change.value, bool) else change.value,
        }
        for change in changes
    ]


def _verbose_manager(seen: str | None, wanted: str | None) -> list[Json]:
    """The manager's id as a plain text (E-PAT-18); removal by path (E-PAT-20)."""
    if wanted is None:
        return [{"op": "Remove", "path": MANAGER_PATH}]
    return [{"op": "Replace" if seen else "Add", "path": MANAGER_PATH, "value": wanted}]


def _verbose_add_members(ids: Sequence[str]) -> list[Json]:
    return [{"op": "Add", "path": "members", "value": [{"$ref": None, "value": member} for member in ids]}]


def _verbose_remove_members(ids: Sequence[str]) -> list[Json]:
    """The members as a value beside the bare path, against RFC 7644 §3.5.2.2 (E-GRP-15)."""
    return [{"op": "Remove", "path": "members", "value": [{"$ref": None, "value": member} for member in ids]}]


def _flagged_attributes(changes: Sequence[Change]) -> list[Json]:
    """Value paths as operations of their own; all else in one path-less operation (E-OPT-01, -03, -04)."""
    operations: list[Json] = [
        {"op": _flagged_op(change), "path": change.target.path, "value": change.value}
        for change in changes
        if change.target.is_element
    ]
    for op in ("add", "replace"):
        plain = [change for change in changes if not change.target.is_element and _flagged_op(change) == op]
        if len(plain) == 1:
            operations.append({"op": op, "path": plain[0].target.path, "value": plain[0].value})
        elif plain:
            operations.append({"op": op, "value": {change.target.path: change.value for change in plain}})
    return operations


def _flagged_op(change: Change) -> str:
    return "replace" if change.is_filled else "add"


def _flagged_manager(seen: str | None, wanted: str | None) -> list[Json]:
    """A path-less operation with the full URN (E-OPT-06); removal by a filter on the single value (E-OPT-10)."""
    if wanted is None:
        return [{"op": "remove", "path": f'{MANAGER_PATH}[value eq "{seen}"]'}]
    return [{"op": "replace" if seen else "add", "value": {MANAGER_PATH: {"value": wanted}}}]


def _flagged_add_members(ids: Sequence[str]) -> list[Json]:
    return [{"op": "add", "path": "members", "value": [{"value": member} for member in ids]}]


def _flagged_remove_members(ids: Sequence[str]) -> list[Json]:
    """One operation a member, by value path (E-OPT-11)."""
    return [{"op": "remove", "path": f'members[value eq "{member}"]'} for member in ids]


DIALECTS = {
    Style.DEFAULT: Dialect(_verbose_attributes, _verbose_manager, _verbose_add_members, _verbose_remove_members),
    Style.AAD_OPT_SCIM: Dialect(_flagged_attributes, _flagged_manager, _flagged_add_members, _flagged_remove_members),
}
