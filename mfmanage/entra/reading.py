"""Reading a directory file, whose format is in ``docs/entra-simulator.md``."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mfmanage.entra import fields, scoping
from mfmanage.entra.directory import Directory, Group, Snapshot, User
from mfmanage.entra.fields import DirectoryInvalid
from mfmanage.entra.scoping import Scope

Raw = Mapping[str, Any]


def load(path: Path) -> Directory:
    """Read the directory in the file ``path``; raises ``DirectoryInvalid``."""
    try:
        return parse(json.loads(path.read_bytes()))
    except OSError as error:
        raise DirectoryInvalid(f"{path} cannot be read: {error.strerror}.") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DirectoryInvalid(f"{path} is not JSON: {error.msg} ({place}).") from error
    except UnicodeDecodeError as error:
        raise DirectoryInvalid(f"{path} is not UTF-8 text: wrong byte at {error.start}.") from error
    except DirectoryInvalid as error:
        raise DirectoryInvalid(f"{path}: {error}") from error


def parse(raw: object) -> Directory:
    """Make a directory of a parsed JSON document; raises ``DirectoryInvalid``."""
    document = fields.typed("The document", raw, dict)
    fields.refuse_unknown("The document", document, ("users", "groups", "changes", "scopingFilters"))
    users, groups = dict[str, User](), dict[str, Group]()
    for place, entry in fields.entries("", document, "users"):
        _add(users, place, _new_user(place, entry))
    for place, entry in fields.entries("", document, "groups"):
        _add(groups, place, _new_group(place, entry))
    scope = _scope("", document, Scope())
    snapshots = [_checked(_scoped(users, groups, scope), "")]
    for place, change in fields.entries("", document, "changes"):
        scope = _scope(f"{place}.", change, scope)
        snapshots.append(_checked(_changed(snapshots[-1], place, change, scope), f" (after {place})"))
    return Directory(tuple(snapshots))


def _scope(place: str, raw: Raw, before: Scope) -> Scope:
    key = "scopingFilters"
    return scoping.parse(f"{place}{key}", raw[key]) if key in raw else before


def _scoped(users: Mapping[str, User], groups: Mapping[str, Group], scope: Scope) -> Snapshot:
    """Return the snapshot with every object marked as the filters have it."""
    return Snapshot(
        {key: scoping.filtered(scope.users, user) for key, user in users.items()},
        {key: scoping.filtered(scope.groups, group) for key, group in groups.items()},
        scope,
    )


def _add(objects: dict[str, Any], place: str, added: User | Group) -> None:
    if added.id in objects:
        raise DirectoryInvalid(f"{place}.id: {added.id!r} is there twice.")
    objects[added.id] = added


def _new_user(place: str, raw: Raw) -> User:
    fields.refuse_unknown(place, raw, fields.USER.keys())
    return User(**fields.whole(place, raw, fields.USER))


def _new_group(place: str, raw: Raw) -> Group:
    fields.refuse_unknown(place, raw, fields.GROUP.keys())
    return Group(**fields.whole(place, raw, fields.GROUP))


def _changed(before: Snapshot, place: str, changes: Raw, scope: Scope) -> Snapshot:
    fields.refuse_unknown(place, changes, ("users", "groups", "scopingFilters"))
    users, groups = dict(before.users), dict(before.groups)
    for where, change in fields.entries(f"{place}.", changes, "users"):
        _change_user(users, where, change)
    _forget(before.users.keys() - users.keys(), users, groups)
    for where, change in fields.entries(f"{place}.", changes, "groups"):
        _change_group(groups, where, change)
    return _scoped(users, groups, scope)


def _change_user(users: dict[str, User], place: str, change: Raw) -> None:
    key = fields.identifier(place, change)
    if "deleted" in change:
        _delete(users, place, change)
    elif key in users:
        fields.refuse_unknown(place, change, [*fields.USER, "deleted"])
        users[key] = replace(users[key], **fields.values(place, change, fields.USER))
    else:
        users[key] = _new_user(place, change)


def _change_group(groups: dict[str, Group], place: str, change: Raw) -> None:
    key = fields.identifier(place, change)
    if "deleted" in change:
        _delete(groups, place, change)
    elif key in groups:
        fields.refuse_unknown(place, change, [*fields.GROUP, "addMembers", "removeMembers", "deleted"])
        groups[key] = _with_members(
            replace(groups[key], **fields.values(place, change, fields.GROUP)),
            fields.texts(place, change, "addMembers"),
            fields.texts(place, change, "removeMembers"),
        )
    else:
        groups[key] = _new_group(place, change)


def _delete(objects: dict[str, Any], place: str, change: Raw) -> None:
    fields.refuse_unknown(place, change, ("id", "deleted"))
    if change["deleted"] is not True:
        raise DirectoryInvalid(f"{place}.deleted must be true when it is there.")
    if objects.pop(change["id"], None) is None:
        raise DirectoryInvalid(f"{place}.id: nothing with the id {change['id']!r} is there to delete.")


def _forget(gone: Iterable[str], users: dict[str, User], groups: dict[str, Group]) -> None:
    """Take deleted users out of groups and away from those they managed, as Entra's directory does."""
    dead = set(gone)
    for user in [user for user in users.values() if user.manager in dead]:
        users[user.id] = replace(user, manager=None)
    for group in [group for group in groups.values() if not dead.isdisjoint(group.members)]:
        groups[group.id] = _with_members(group, (), dead)


def _with_members(group: Group, added: Iterable[str], removed: Iterable[str]) -> Group:
    gone = set(removed)
    kept = [member for member in dict.fromkeys((*group.members, *added)) if member not in gone]
    return replace(group, members=tuple(kept))


def _checked(snapshot: Snapshot, when: str) -> Snapshot:
    _refuse_twins("users with the userPrincipalName", _names(snapshot.users, "user_principal_name"), when)
    _refuse_twins("groups with the displayName", _names(snapshot.groups, "display_name"), when)
    for user in snapshot.users.values():
        if user.manager is not None and user.manager not in snapshot.users:
            raise DirectoryInvalid(f"User {user.id!r}: its manager {user.manager!r} is not a user{when}.")
    for group in snapshot.groups.values():
        for member in group.members:
            if member not in snapshot.users:
                raise DirectoryInvalid(f"Group {group.display_name!r}: its member {member!r} is not a user{when}.")
    return snapshot


def _names(objects: Mapping[str, Any], attribute: str) -> Iterable[str]:
    return (getattr(entry, attribute) for entry in objects.values())


def _refuse_twins(what: str, names: Iterable[str], when: str) -> None:
    seen = set[str]()
    for name in names:
        if name.casefold() in seen:
            raise DirectoryInvalid(f"There are two {what} {name!r}{when}.")
        seen.add(name.casefold())
