"""Which source attribute goes to which SCIM attribute: the M-Files gallery connector's mapping, as a table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mfmanage.entra.directory import Group, User

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
INFO = "urn:ietf:params:scim:schemas:extension:info:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"

Json = dict[str, Any]
Scalar = str | bool
S = TypeVar("S", User, Group)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A SCIM attribute of a mapping: ``name.givenName``, ``emails[type eq "work"].value`` or ``URN:info1``."""

    attribute: str
    sub: str = ""
    type: str = ""
    urn: str = ""

    @property
    def path(self) -> str:
        """The attribute's PATCH path (RFC 7644 §3.5.2)."""
        prefix = f"{self.urn}:" if self.urn else ""
        element = f'[type eq "{self.type}"]' if self.type else ""
        sub = f".{self.sub}" if self.sub else ""
        return f"{prefix}{self.attribute}{element}{sub}"

    def read(self, resource: Json) -> Any:
        """Return the value in ``resource``, or ``None`` where Entra could not read one either."""
        node = _member(resource, self.urn) if self.urn else resource
        node = _member(node, self.attribute)
        if self.type:
            node = next((e for e in _elements(node) if _member(e, "type") == self.type), None)
        return _member(node, self.sub) if self.sub else node

    def write(self, resource: Json, value: Scalar) -> None:
        """Put ``value`` into the body of a new resource."""
        node = resource.setdefault(self.urn, {}) if self.urn else resource
        if self.type:
            element = {"primary": True, "type": self.type, self.sub: value}
            node.setdefault(self.attribute, []).append(element)
        elif self.sub:
            node.setdefault(self.attribute, {})[self.sub] = value
        else:
            node[self.attribute] = value


@dataclass(frozen=True)
class Row(Generic[S]):
    """A line of the mapping: the target, and how its value follows from the source object."""

    target: Target
    value: Callable[[S], Scalar | None]


@dataclass(frozen=True)
class Change:
    """A difference between source and target: what to set, and whether the target has a value now."""

    target: Target
    value: Scalar
    is_filled: bool


def full_name(user: User) -> str | None:
    """Return ``Join(" ", [givenName], [surname])``."""
    return " ".join(part for part in (user.given_name, user.surname) if part) or None


USER_ROWS: tuple[Row[User], ...] = (
    Row(Target(attribute="userName"), lambda user: user.user_principal_name),
    Row(Target(attribute="active"), lambda user: user.is_active),
    Row(Target(attribute="displayName"), lambda user: user.display_name),
    Row(Target(attribute="emails", type="work", sub="value"), lambda user: user.mail),
    Row(Target(attribute="name", sub="givenName"), lambda user: user.given_name),
    Row(Target(attribute="name", sub="familyName"), lambda user: user.surname),
    Row(Target(attribute="name", sub="formatted"), full_name),
    Row(Target(attribute="externalId"), lambda user: user.mail_nickname),
    Row(Target(urn=INFO, attribute="info1"), lambda user: user.info1),
    Row(Target(urn=INFO, attribute="info2"), lambda user: user.info2),
)
ACTIVE_ROWS = tuple(row for row in USER_ROWS if row.target.attribute == "active")
GROUP_ROWS: tuple[Row[Group], ...] = (
    Row(Target(attribute="displayName"), lambda group: group.display_name),
    Row(Target(attribute="externalId"), lambda group: group.id),
)
MANAGER = Target(urn=ENTERPRISE, attribute="manager", sub="value")


def user_body(user: User) -> Json:
    """Return the body of the POST that creates ``user``, without references.

    The info extension's URN is not among ``schemas``: Entra does not list custom extensions there.
    """
    body: Json = {"schemas": [USER, ENTERPRISE], "meta": {"resourceType": "User"}, "roles": []}
    return _filled(body, USER_ROWS, user)


def group_body(group: Group) -> Json:
    """Return the body of the POST that creates ``group``, without members."""
    body: Json = {"schemas": [GROUP], "meta": {"resourceType": "Group"}, "members": []}
    return _filled(body, GROUP_ROWS, group)


def differences(rows: Sequence[Row[S]], source: S, current: Json) -> list[Change]:
    """Return what must change in ``current`` so that it says what ``source`` says.

    Empty source values are not provisioned: clearing an attribute in Entra sends nothing.
    """
    changes = []
    for row in rows:
        wanted, seen = row.value(source), row.target.read(current)
        if wanted in (None, "") or (wanted == seen and type(wanted) is type(seen)):
            continue
        changes.append(Change(row.target, wanted, is_filled=seen not in (None, "")))
    return changes


def _filled(body: Json, rows: Sequence[Row[S]], source: S) -> Json:
    for row in rows:
        value = row.value(source)
        if value not in (None, ""):
            row.target.write(body, value)
    return body


def _member(node: object, key: str) -> Any:
    return node.get(key) if isinstance(node, Mapping) else None


def _elements(node: object) -> Sequence[object]:
    return node if isinstance(node, list) else ()
