"""What an identity provider does to user groups: each deed is one transaction with its row in the provisioning log.

A group's members are never loaded to change some of them: every deed costs a constant number of statements.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction

from provisioning.models import UserGroup
from provisioning.services import audit, links, memberships, totals
from provisioning.services.calls import Call, carry_out, carry_out_alone, check_version, difference, entry
from provisioning.services.constraints import violated
from provisioning.services.memberships import MemberChange
from provisioning.services.notices import announce
from provisioning.sql import Statement, insertion, parameter, run, whole


class GroupNotFound(Exception):
    """The configuration has no group of that SCIM id."""


class GroupNameTaken(Exception):
    """Another group of the configuration has that displayName, in whatever letter case (decision D-19)."""

    def __init__(self, display_name: str) -> None:
        super().__init__(f'displayName "{display_name}" is already in use')


class GroupExternalIdTaken(Exception):
    """Another group of the configuration has that externalId (decision D-17)."""

    def __init__(self, external_id: str | None) -> None:
        super().__init__(f'externalId "{external_id}" is already in use')


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupProfile:
    """A group as an identity provider describes it, without its members."""

    display_name: str
    external_id: str | None
    document: dict[str, Any]
    search: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChange:
    """What becomes of a group: another profile (None: the same), and steps on its members, in order."""

    profile: GroupProfile | None = None
    members: Sequence[MemberChange] = field(default_factory=tuple)


def create_group(*, profile: GroupProfile, members: Sequence[str], call: Call) -> UserGroup:
    """Create the group with the members of these SCIM ids; unknown ids are skipped and logged (decision D-08).

    The same object of the directory that was deleted gets its license type and links back, while it has links.
    Raises ``GroupNameTaken``, ``GroupExternalIdTaken`` and ``AccessEnded``.
    """
    group = UserGroup(
        subscription_id=call.configuration.subscription_id,
        configuration=call.configuration,
        scim_id=str(uuid.uuid4()),
        created_at=call.at,
    )
    _describe(group, profile, call.at)
    steps = [MemberChange("add", tuple(members))] if members else []
    try:
        with audit.recorded_last():
            former_id, group.license_type = _former(group)
            [(group.pk,)] = run(Statement(_INSERT, _values(group, _INSERTED)))
            moved = links.follow_source(former_id=former_id, group=group, at=call.at) if former_id else 0
            outcome = memberships.apply(group, steps)
            carry_out_alone(
                _logged(call, group, 201, difference({}, profile.document), outcome, moved=moved),
                totals.step(call.configuration.pk, totals.GROUP, 1),
            )
            announce(group.subscription_id)
    except IntegrityError as error:
        raise _taken(error, profile) from error
    return group


def change_group(*, scim_id: str, change: Callable[[UserGroup], GroupChange], call: Call) -> UserGroup:
    """Lock the group, ask ``change`` what becomes of it, and save that; what changes nothing leaves its version.

    Raises ``GroupNotFound``, ``VersionRefused``, ``GroupNameTaken``, ``GroupExternalIdTaken``, ``AccessEnded``, and
    whatever ``change`` raises, in which case nothing has happened.
    """
    wanted = GroupChange()
    try:
        with transaction.atomic():
            group = _locked(call, scim_id)
            wanted = change(group)
            changes: dict[str, Any] = {}
            if wanted.profile is not None:
                changes = difference(group.document, wanted.profile.document)
                _describe(group, wanted.profile, call.at)
            outcome = memberships.apply(group, wanted.members)
            if wanted.profile is not None or outcome.changed:
                group.version += 1
                group.modified_at = call.at
                carry_out(_update(group), _logged(call, group, 204, changes, outcome))
            else:
                carry_out_alone(_logged(call, group, 204, changes, outcome))
            announce(group.subscription_id)
    except IntegrityError as error:
        raise _taken(error, wanted.profile) from error
    return group


def remove_group(*, scim_id: str, call: Call) -> None:
    """Take the group out of every computation; its row and memberships stay for the grace period of its links.

    Raises ``GroupNotFound``, ``VersionRefused`` and ``AccessEnded``.
    """
    with transaction.atomic():
        group = _locked(call, scim_id)
        group.deleted_at = group.modified_at = call.at
        group.generation += 1
        carry_out(
            _update(group),
            entry(call, status=204, resource_id=scim_id, resource_name=group.display_name, changes={}),
            totals.step(call.configuration.pk, totals.GROUP, -1),
        )
        announce(group.subscription_id)


def _former(group: UserGroup) -> tuple[int, int | None]:
    """Return the id (0: none) and the license type of the linked group that was deleted last under that externalId."""
    if group.external_id is None:
        return 0, None
    found = run(Statement(_FORMER, (group.configuration_id, group.external_id)))
    return found[0] if found else (0, None)


def _describe(group: UserGroup, profile: GroupProfile, at: datetime) -> None:
    group.display_name = profile.display_name
    group.display_name_key = profile.display_name.casefold()
    group.external_id = profile.external_id
    group.document = profile.document
    group.search = profile.search
    group.modified_at = at


def _locked(call: Call, scim_id: str) -> UserGroup:
    """Read the row that the configuration has of that id. Raises ``GroupNotFound``, ``VersionRefused``."""
    statement = Statement(f"{_SELECT}{_LOCK[connection.vendor]}", (call.configuration.pk, scim_id))
    group = next(iter(_GROUP.read(run(statement))), None)
    if group is None:
        raise GroupNotFound(scim_id)
    check_version(call, group.version)
    return group


def _update(group: UserGroup) -> Statement:
    return Statement(_UPDATE, [*_values(group, _UPDATED), group.pk])


def _values(group: UserGroup, names: tuple[str, ...]) -> list[Any]:
    return [parameter(getattr(group, name)) for name in names]


def _logged(
    call: Call,
    group: UserGroup,
    status: int,
    changes: dict[str, Any],
    outcome: memberships.Outcome,
    *,
    moved: int = 0,
) -> Statement:
    """``moved`` is how many links of a deleted group follow this one."""
    sentences = [f"Took over the license type and {moved} link(s) of the deleted group"] if moved else []
    return entry(
        call,
        status=status,
        resource_id=group.scim_id,
        resource_name=group.display_name,
        changes=changes | outcome.summary(),
        detail=". ".join([*sentences, *filter(None, [outcome.warning()])]),
    )


def _taken(error: IntegrityError, profile: GroupProfile | None) -> Exception:
    match violated(error):
        case "group_display_name_unique" if profile:
            return GroupNameTaken(profile.display_name)
        case "group_external_id_unique" if profile:
            return GroupExternalIdTaken(profile.external_id)
    return error


_GROUP = whole(UserGroup)
_INSERTED = tuple(name for name in _GROUP.names if name != "id")
_UPDATED = (
    *("display_name", "display_name_key", "external_id", "document", "search"),
    *("version", "modified_at", "deleted_at", "generation"),
)
_INSERT = f"{insertion(UserGroup, _INSERTED)} RETURNING id"
_ASSIGNMENTS = ", ".join(f"{name} = %s" for name in _UPDATED)
_UPDATE = f"UPDATE provisioning_usergroup SET {_ASSIGNMENTS} WHERE id = %s RETURNING id"  # noqa: S608
_SELECT = f"""
SELECT {_GROUP.text} FROM provisioning_usergroup
WHERE configuration_id = %s AND scim_id = %s AND deleted_at IS NULL"""  # noqa: S608
_FORMER = """
SELECT id, license_type FROM provisioning_usergroup
WHERE configuration_id = %s AND external_id = %s AND deleted_at IS NOT NULL
    AND id IN (SELECT group_id FROM provisioning_grouplink WHERE ending_at IS NULL)
ORDER BY deleted_at DESC LIMIT 1"""
_LOCK = {"postgresql": " FOR UPDATE", "sqlite": ""}
