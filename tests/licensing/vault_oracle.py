"""What a vault must come to, by the rules of 1-product §1.5 alone: plain Python, none of the product's plans.

``after`` the last event and before the workers the vault is as a person left it (``Vault``); the directory says what is
wanted (``Facts``). ``check`` compares what the vault has come to.
"""

from dataclasses import dataclass, field

from licensing.clients.agent import DEFAULT_ROLES, each_group_member, each_vault_user

FULL_CONTROL = 1


@dataclass
class Vault:
    """Vault users by key, and the keys in each group, by the group's number."""

    users: dict = field(default_factory=dict)
    members: dict[int, set[str]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)


@dataclass
class Person:
    """An account of the directory; ``may_sign_in``: enabled, with a license."""

    uid: str
    username: str
    may_sign_in: bool
    access: str = "by_links"
    full_control: bool | None = None
    groups: set[str] = field(default_factory=set)
    frozen: set[str] = field(default_factory=set)


@dataclass
class Target:
    """A target group and its link; ``put_by_people`` are keys that a person or a backup may have put there."""

    source: str
    number: int | None
    mode: str = "replace"
    is_paused: bool = False
    is_ended: bool = False
    put_by_people: set[str] = field(default_factory=set)


def photograph(server, guid) -> Vault:
    """Return the vault as it is now."""
    groups = [group for group in server.list_groups(guid) if not group.built_in]
    return Vault(
        {user.key: user for user in each_vault_user(server, guid)},
        {group.id: {member.key for member in each_group_member(server, guid, group.id)} for group in groups},
        {group.id: group.name for group in groups},
    )


def check(before: Vault, after: Vault, people: list[Person], targets: list[Target]) -> None:
    """Assert that ``after`` is what the rules make of ``before``."""
    for person in people:
        check_user(before.users.get(person.uid), after.users.get(person.uid), person, targets)
    ours = {person.uid for person in people}
    assert strangers(before, ours) == strangers(after, ours)
    names = [user.username.casefold() for user in after.users.values() if user.username]
    assert len(names) == len(set(names))
    for target in targets:
        check_members(before, after, people, target)


def is_wanted(person: Person, targets: list[Target]) -> bool:
    """Rules 1, 3 and 5: who may sign in, and whom a link or an admin wants; not who is blocked."""
    wanted = person.access == "given" or any(wants(target, person) for target in targets)
    return person.may_sign_in and person.access != "blocked" and wanted


def wants(target: Target, person: Person) -> bool:
    """Return whether the link wants the person in its target; a paused one wants whom it wanted."""
    if target.is_ended:
        return False
    return target.source in (person.frozen if target.is_paused else person.groups)


def check_user(before, after, person, targets):
    """Rules 3 and 4: never deleted, disabled by a person stays, deleted by a person comes back only while wanted."""
    is_there = before is not None and not before.deleted
    if not is_wanted(person, targets):
        assert (after is not None and not after.deleted) == is_there, person
        assert not (after and after.enabled), person
    else:
        assert after, person
        stays_disabled = is_there and not before.enabled and before.disabled_by_person
        assert (after.enabled, after.deleted) == (not stays_disabled, False), person
    if after and not after.deleted:
        assert after.username == person.username
        assert before is None or after.id == before.id
        check_roles(before, after, person)


def check_roles(before, after, person):
    """*Full control of vault* as an admin decided, else as it was; every other bit as it was."""
    roles = before.roles if before else DEFAULT_ROLES
    if person.full_control is not None:
        roles = roles | FULL_CONTROL if person.full_control else roles & ~FULL_CONTROL
    assert after.roles == roles, person


def strangers(vault, ours):
    return {key: (user.username, user.enabled, user.deleted) for key, user in vault.users.items() if key not in ours}


def check_members(before, after, people, target):
    """Rule 2: *replace* leaves nobody else in the target, *merge* leaves whom people put there; a paused link waits."""
    present, was = after.members.get(target.number, set()), before.members.get(target.number, set())
    if target.is_paused:
        assert present == was
        return
    there = {key for key, user in after.users.items() if not user.deleted}
    wanted = {one.uid for one in people if one.may_sign_in and wants(target, one)} & there
    ours = {one.uid for one in people}
    assert wanted <= present, target
    if target.mode == "replace" and not target.is_ended:
        assert present == wanted, target
    else:
        assert was - ours == present - ours, target
        assert present <= wanted | (was & target.put_by_people), target
