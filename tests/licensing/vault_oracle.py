"""What a vault must come to, by the rules of 1-product §1.5 alone: plain Python, none of the product's plans.

``before``, after the last event and before the workers, the vault is as a person left it (``Vault``); the directory and
the admins say what is wanted (``Person``, ``Target``). ``check`` compares what the vault has come to.
"""

from dataclasses import dataclass, field
from typing import Any

from licensing.clients.agent import DEFAULT_ROLES, each_group_member, each_vault_user

FULL_CONTROL = 1


@dataclass
class Vault:
    """Vault users by key, the keys in each group by the group's number, and the server's login accounts by uid."""

    users: dict[str, Any] = field(default_factory=dict)
    members: dict[int, set[str]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    logins: dict[str, Any] = field(default_factory=dict)


@dataclass
class Person:
    """An account of the portal; one without a username was deleted there for good.

    ``details`` are full name and e-mail, ``former_details`` what they were before the workers; ``may_sign_in``:
    enabled, with a license. ``is_overridden``: it is enabled although a person disabled it. ``is_kept``: a link that
    was removed left its vault user as it was. ``groups`` are the targets whose links have the person in their source.
    """

    uid: str
    username: str = ""
    details: tuple[str, str] = ("", "")
    former_details: tuple[str, str] = ("", "")
    is_enabled: bool = False
    license_type: int = 0
    is_manual: bool = False
    may_sign_in: bool = False
    access: str = "by_links"
    full_control: bool | None = None
    is_overridden: bool = False
    is_kept: bool = False
    groups: set[int] = field(default_factory=set)
    frozen: set[int] = field(default_factory=set)


@dataclass
class Target:
    """A target group and its link; ``ended``: that *left* or *stayed*; ``put_by_people``: who may stay in *merge*."""

    key: int
    number: int | None
    mode: str = "replace"
    is_paused: bool = False
    ended: str = ""
    put_by_people: set[str] = field(default_factory=set)
    is_source_deleted: bool = False


def photograph(server, guid) -> Vault:
    """Return the vault as it is now."""
    groups = [group for group in server.list_groups(guid) if not group.built_in]
    users = list(each_vault_user(server, guid))
    assert len({user.key for user in users}) == len({user.id for user in users}) == len(users)
    logins = list(each_login_account(server, guid))
    names = [login.username.casefold() for login in logins]
    assert len(names) == len(set(names))
    return Vault(
        {user.key: user for user in users},
        {group.id: {member.key for member in each_group_member(server, guid, group.id)} for group in groups},
        {group.id: group.name for group in groups},
        {login.uid or login.username: login for login in logins},
    )


def each_login_account(server, guid):
    page = server.list_login_accounts(guid)
    while True:
        yield from page.items
        if page.next_cursor is None:
            return
        page = server.list_login_accounts(guid, cursor=page.next_cursor)


def check(before: Vault, after: Vault, people: list[Person], targets: list[Target]) -> None:
    """Assert that ``after`` is what the rules make of ``before``."""
    for person in people:
        check_user(before.users.get(person.uid), after.users.get(person.uid), person, targets)
        check_login(before, after, person)
    ours = {person.uid for person in people}
    assert strangers(before, ours) == strangers(after, ours)
    for target in targets:
        check_members(before, after, people, target)


def is_wanted(person: Person, targets: list[Target]) -> bool:
    """Rules 1, 3 and 5: who may sign in, and whom a link or an admin wants; not who is blocked."""
    wanted = person.access == "given" or any(wants(target, person) for target in targets)
    return person.may_sign_in and person.access != "blocked" and wanted


def wants(target: Target, person: Person) -> bool:
    """Return whether the link wants the person in its target; a paused one wants whom it wanted."""
    if target.ended:
        return False
    return target.key in (person.frozen if target.is_paused else person.groups)


def check_user(before, after, person, targets):
    """Rules 3 and 4: never deleted, disabled by a person stays, deleted by a person comes back only while wanted."""
    is_there = before is not None and not before.deleted
    if is_wanted(person, targets):
        assert after, person
        stays_disabled = is_there and not before.enabled and before.disabled_by_person and not person.is_overridden
        assert (after.enabled, after.deleted) == (not stays_disabled, False), (person, before, after)
    elif not (person.is_kept and before is None):
        assert (after is not None and not after.deleted) == is_there, (person, before, after)
        may_stay = is_there and (person.is_kept or lets_nobody_in(before, person))
        assert not (after and after.enabled) or (may_stay and before.enabled), (person, before, after)
    if after and not after.deleted:
        assert not person.username or after.username == person.username, (person, after)
        assert before is None or after.id == before.id
        check_roles(before, after, person)


def lets_nobody_in(user, person):
    """Return whether it is detached and its account is deleted, so that nothing can be changed about it."""
    return user.username is None and not person.username


def check_roles(before, after, person):
    """*Full control of vault* as an admin decided, else as it was; every other bit as it was."""
    roles = before.roles if before else DEFAULT_ROLES
    if person.full_control is not None:
        roles = roles | FULL_CONTROL if person.full_control else roles & ~FULL_CONTROL
    assert after.roles == roles, (person, before, after)


def check_login(before, after, person):
    """The server's login account is as the portal's; only full name and e-mail of a manual one come from there."""
    login, was = after.logins.get(person.uid), before.logins.get(person.uid)
    if not person.username:
        return
    if person.details != person.former_details:
        assert person.is_manual, person
        assert was, person
        assert person.details == (was.full_name, was.email), (person, was)
    if person.uid in after.users and not after.users[person.uid].deleted:
        assert login, person
    if login is not None:
        there = (login.username, (login.full_name, login.email), int(login.license_type), login.enabled)
        wanted = (person.username, person.details, person.license_type, person.is_enabled)
        assert there == wanted, (person, login)


def strangers(vault, ours):
    users = {key: (user.id, user.username, user.enabled, user.deleted, user.roles) for key, user in vault.users.items()}
    logins = {key: login for key, login in vault.logins.items() if key not in ours}
    return {key: facts for key, facts in users.items() if key not in ours}, logins


def check_members(before, after, people, target):
    """Rule 2: *replace* leaves nobody else in the target, *merge* leaves whom people put there; a paused link waits.

    A target without a link is left alone once whom its link had brought has left. One that a person deleted is not made
    again for a source that was deleted, too.
    """
    present, was = after.members.get(target.number, set()), before.members.get(target.number, set())
    if target.is_paused or target.ended == "stay":
        assert present == was, target
        return
    if target.number is None and target.is_source_deleted:
        return
    ours, there = {one.uid for one in people}, {key for key, user in after.users.items() if not user.deleted}
    wanted = {one.uid for one in people if one.may_sign_in and wants(target, one)} & there
    assert wanted <= present, target
    if target.mode == "replace" and not target.ended:
        assert present == wanted, target
    else:
        assert was - ours == present - ours, target
        assert present & ours <= wanted | (was & target.put_by_people), target
