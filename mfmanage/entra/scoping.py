"""Scoping filters: which objects pass (Microsoft Learn, *define-conditional-rules-for-provisioning-user-accounts*)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from mfmanage.entra import fields
from mfmanage.entra.directory import Group, User
from mfmanage.entra.fields import DirectoryInvalid, Field

Value = str | bool | tuple[str, ...] | None
S = TypeVar("S", User, Group)


@dataclass(frozen=True)
class Clause:
    """One condition on one attribute of the source."""

    attribute: str
    operator: str
    value: str

    def holds(self, source: User | Group) -> bool:
        """Whether ``source`` meets the condition."""
        return OPERATORS[self.operator](getattr(source, self.attribute), self.value)


Filter = tuple[Clause, ...]
"""Clauses that must all hold."""


@dataclass(frozen=True)
class Scope:
    """The filters of users and of groups; an object passes when one filter lets it, or when there are none."""

    users: tuple[Filter, ...] = ()
    groups: tuple[Filter, ...] = ()


def filtered(filters: Sequence[Filter], source: S) -> S:
    """Return ``source`` with ``filtered_out`` as the filters have it."""
    passes = not filters or any(all(clause.holds(source) for clause in one) for one in filters)
    return replace(source, filtered_out=not passes)


def parse(place: str, raw: object) -> Scope:
    """Make the scope of the key ``scopingFilters``; raises ``DirectoryInvalid``."""
    document = fields.typed(place, raw, dict)
    fields.refuse_unknown(place, document, ("users", "groups"))
    return Scope(_filters(place, document, "users", fields.USER), _filters(place, document, "groups", fields.GROUP))


def _filters(place: str, raw: Mapping[str, Any], kind: str, known: Mapping[str, Field]) -> tuple[Filter, ...]:
    found = fields.typed(f"{place}.{kind}", raw.get(kind, []), list)
    places = [f"{place}.{kind}[{number}]" for number in range(len(found))]
    return tuple(_filter(where, one, known) for where, one in zip(places, found, strict=True))


def _filter(place: str, raw: object, known: Mapping[str, Field]) -> Filter:
    document = fields.typed(place, raw, dict)
    fields.refuse_unknown(place, document, ("title", "clauses"))
    clauses = tuple(_clause(where, clause, known) for where, clause in fields.entries(f"{place}.", document, "clauses"))
    if not clauses:
        raise DirectoryInvalid(f"{place}.clauses is missing.")
    return clauses


def _clause(place: str, raw: Mapping[str, Any], known: Mapping[str, Field]) -> Clause:
    fields.refuse_unknown(place, raw, ("attribute", "operator", "value"))
    attribute, operator = fields.required(place, raw, "attribute"), fields.required(place, raw, "operator")
    value = fields.typed(f"{place}.value", raw.get("value", ""), str)
    if attribute not in known:
        raise DirectoryInvalid(f"{place}.attribute: there is no {attribute!r}; known are {', '.join(known)}.")
    if operator not in OPERATORS:
        raise DirectoryInvalid(f"{place}.operator: there is no {operator!r}; known are {', '.join(OPERATORS)}.")
    if operator in PATTERNED:
        _refuse_broken(f"{place}.value", value)
    if operator in NUMERIC and _number(value) is None:
        raise DirectoryInvalid(f"{place}.value must be a whole number.")
    return Clause(known[attribute].attribute, operator, value)


def _refuse_broken(place: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise DirectoryInvalid(f"{place} is not a regular expression: {error}.") from error


def _text(value: Value) -> str:
    """Return a value as Entra compares it; several values are one text."""
    return ";".join(value) if isinstance(value, tuple) else "" if value is None else str(value)


def _number(value: Value) -> int | None:
    text = _text(value)
    return int(text) if text.isascii() and text.isdigit() else None


def _exceeds(value: Value, limit: str, *, least: int) -> bool:
    number = _number(value)
    return number is not None and number >= int(limit) + least


def _matches(value: Value, pattern: str) -> bool:
    """Microsoft's example ``([1-9][0-9])`` *matches any number between 10 and 99*: the whole value is meant."""
    return bool(_text(value)) and re.fullmatch(pattern, _text(value)) is not None


OPERATORS: dict[str, Callable[[Value, str], bool]] = {
    "EQUALS": lambda value, wanted: _text(value) == wanted,
    "NOT EQUALS": lambda value, wanted: _text(value) != wanted,
    "IS TRUE": lambda value, _: value is True,
    "IS FALSE": lambda value, _: value is False,
    "IS NULL": lambda value, _: not _text(value),
    "IS NOT NULL": lambda value, _: bool(_text(value)),
    "REGEX MATCH": _matches,
    "NOT REGEX MATCH": lambda value, pattern: bool(_text(value)) and not _matches(value, pattern),
    "GREATER_THAN": lambda value, limit: _exceeds(value, limit, least=1),
    "GREATER_THAN_OR_EQUALS": lambda value, limit: _exceeds(value, limit, least=0),
    "INCLUDES": lambda value, part: part in _text(value),
    "ENDS_WITH": lambda value, ending: _text(value).endswith(ending),
}
"""Texts are compared with their letter case; the value of a condition is a text in the file."""

PATTERNED = {"REGEX MATCH", "NOT REGEX MATCH"}
NUMERIC = {"GREATER_THAN", "GREATER_THAN_OR_EQUALS"}
