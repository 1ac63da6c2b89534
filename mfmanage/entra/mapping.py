"""How a source attribute becomes a SCIM attribute, and what differs from what is there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from mfmanage.entra.directory import Group, User

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
INFO = "urn:ietf:params:scim:schemas:extension:info:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"

Json = dict[str, Any]
Value = str | bool | list[Json]
S = TypeVar("S", User, Group)
EMPTY: tuple[Any, ...] = (None, "", [])


@dataclass(frozen=True, kw_only=True)
class Target:
    """A SCIM attribute of a mapping: ``name.givenName``, ``emails[type eq "work"].value`` or ``URN:info1``.

    ``type`` or ``is_primary`` choose an element of a list. ``spelled`` is how Entra writes ``sub`` in a path
    when that is not how SCIM writes it; in bodies it is never so.
    """

    attribute: str
    sub: str = ""
    type: str = ""
    is_primary: bool = False
    urn: str = ""
    spelled: str = ""

    @property
    def is_element(self) -> bool:
        """Whether the attribute is part of an element of a list, which has a path of its own in either style."""
        return bool(self.type) or self.is_primary

    @property
    def path(self) -> str:
        """The attribute's PATCH path (RFC 7644 §3.5.2); Entra quotes the boolean."""
        prefix = f"{self.urn}:" if self.urn else ""
        element = f'[type eq "{self.type}"]' if self.type else '[primary eq "True"]' if self.is_primary else ""
        sub = f".{self.spelled or self.sub}" if self.sub else ""
        return f"{prefix}{self.attribute}{element}{sub}"

    def read(self, resource: Json) -> Any:
        """Return the value in ``resource``, or ``None`` where Entra could not read one either."""
        node = _member(resource, self.urn) if self.urn else resource
        node = _member(node, self.attribute)
        if self.is_element:
            node = next((element for element in _elements(node) if self._is(element)), None)
        return _member(node, self.sub) if self.sub else node

    def write(self, resource: Json, value: Value) -> None:
        """Put ``value`` into the body of a new resource."""
        node = resource.setdefault(self.urn, {}) if self.urn else resource
        if self.is_element:
            self._element(node.setdefault(self.attribute, []))[self.sub] = value
        elif self.sub:
            node.setdefault(self.attribute, {})[self.sub] = value
        else:
            node[self.attribute] = value

    def _is(self, element: object) -> bool:
        if self.type:
            return bool(_member(element, "type") == self.type)
        return _member(element, "primary") is True

    def _element(self, elements: list[Json]) -> Json:
        found = next((element for element in elements if self._is(element)), None)
        if found is None:
            primary = {"primary": True} if self.is_primary or (self.attribute == "emails" and not elements) else {}
            found = primary | {"type": self.type or ROLE_TYPE}
            elements.append(found)
        return found


ROLE_TYPE = "WindowsAzureActiveDirectoryRole"


@dataclass(frozen=True)
class Row(Generic[S]):
    """A line of the mapping: the target, and how its value follows from the source object."""

    target: Target
    value: Callable[[S], Value | None]


@dataclass(frozen=True)
class Change:
    """A difference between source and target: what to set, and whether the target has a value now."""

    target: Target
    value: Value
    is_filled: bool


class MatchingUnknown(Exception):
    """A mapping has no such target attribute to match by; the text names those it has."""


@dataclass(frozen=True, kw_only=True)
class AttributeMapping:
    """The lines of users and groups, and the users' matching attributes in order of precedence."""

    name: str
    users: tuple[Row[User], ...]
    groups: tuple[Row[Group], ...]
    matching: tuple[Target, ...]

    def matched_by(self, paths: Sequence[str]) -> "AttributeMapping":
        """Return the mapping with the matching attributes ``paths``; raises ``MatchingUnknown``."""
        known = {row.target.path: row.target for row in self.users if row.target.path != "active"}
        for path in paths:
            if path not in known:
                raise MatchingUnknown(f"there is no {path!r} to match by; known are {', '.join(known)}")
        return replace(self, matching=tuple(known[path] for path in paths))

    def criteria(self, source: User | Group) -> Iterator[tuple[str, str]]:
        """Yield the path and the value of each query that may find the counterpart of ``source``."""
        if isinstance(source, Group):
            yield "displayName", source.display_name
            return
        values = {row.target: row.value(source) for row in self.users}
        for target in self.matching:
            if isinstance(values[target], str) and values[target]:
                yield target.path, str(values[target])

    @property
    def activity(self) -> tuple[Row[User], ...]:
        """The line of ``active`` alone: all that is written when a user leaves the scope."""
        return tuple(row for row in self.users if row.target.attribute == "active")


MANAGER = Target(urn=ENTERPRISE, attribute="manager", sub="value")


def user_body(rows: Sequence[Row[User]], user: User) -> Json:
    """Return the body of the POST that creates ``user``, without references.

    The info extension's URN is not among ``schemas``: Entra does not list custom extensions there.
    """
    body: Json = {"schemas": [USER, ENTERPRISE], "meta": {"resourceType": "User"}, "roles": []}
    return _filled(body, rows, user)


def group_body(rows: Sequence[Row[Group]], group: Group) -> Json:
    """Return the body of the POST that creates ``group``, without members."""
    body: Json = {"schemas": [GROUP], "meta": {"resourceType": "Group"}, "members": []}
    return _filled(body, rows, group)


def differences(rows: Sequence[Row[S]], source: S, current: Json) -> list[Change]:
    """Return what must change in ``current`` so that it says what ``source`` says.

    Empty source values are not provisioned: clearing an attribute in Entra sends nothing.
    """
    changes = []
    for row in rows:
        wanted, seen = row.value(source), row.target.read(current)
        if wanted is None or wanted in EMPTY or (wanted == seen and type(wanted) is type(seen)):
            continue
        changes.append(Change(row.target, wanted, is_filled=seen not in EMPTY))
    return changes


def _filled(body: Json, rows: Sequence[Row[S]], source: S) -> Json:
    for row in rows:
        value = row.value(source)
        if value is not None and value not in EMPTY:
            row.target.write(body, value)
    return body


def _member(node: object, key: str) -> Any:
    return node.get(key) if isinstance(node, Mapping) else None


def _elements(node: object) -> Sequence[object]:
    return node if isinstance(node, list) else ()
