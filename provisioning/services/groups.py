"""What an identity provider does to user groups: each deed is one transaction with its row in the provisioning log.

A group's members are never loaded to change some of them: every deed costs a constant number of statements.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from provisioning.models import UserGroup
from provisioning.services import memberships, totals
from provisioning.services.calls import Call, check_version, difference, record_success
from provisioning.services.constraints import violated
from provisioning.services.memberships import MemberChange
from provisioning.services.notices import announce


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

    Raises ``GroupNameTaken`` and ``GroupExternalIdTaken``.
    """
    try:
        with transaction.atomic():
            group = UserGroup(
                subscription_id=call.configuration.subscription_id,
                configuration=call.configuration,
                scim_id=str(uuid.uuid4()),
                created_at=call.at,
            )
            _describe(group, profile, call.at)
            group.save(force_insert=True)
            outcome = memberships.apply(group, [MemberChange("add", tuple(members))] if members else [])
            _conclude(call, group, 201, difference({}, profile.document), outcome)
            totals.add(configuration_id=call.configuration.pk, kind=totals.GROUP, number=1)
    except IntegrityError as error:
        raise _taken(error, profile) from error
    return group


def change_group(*, scim_id: str, change: Callable[[UserGroup], GroupChange], call: Call) -> UserGroup:
    """Lock the group, ask ``change`` what becomes of it, and save that; what changes nothing leaves its version.

    Raises ``GroupNotFound``, ``VersionRefused``, ``GroupNameTaken``, ``GroupExternalIdTaken``, and whatever ``change``
    raises, in which case nothing has happened.
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
                group.save(update_fields=_CHANGED_FIELDS)
            _conclude(call, group, 204, changes, outcome)
    except IntegrityError as error:
        raise _taken(error, wanted.profile) from error
    return group


def remove_group(*, scim_id: str, call: Call) -> None:
    """Take the group out of every computation; its row and memberships stay for the grace period of its links.

    Raises ``GroupNotFound`` and ``VersionRefused``.
    """
    with transaction.atomic():
        group = _locked(call, scim_id)
        group.deleted_at = group.modified_at = call.at
        group.generation += 1
        group.save(update_fields=["deleted_at", "modified_at", "generation"])
        record_success(call, status=204, resource_id=scim_id, resource_name=group.display_name, changes={})
        totals.add(configuration_id=call.configuration.pk, kind=totals.GROUP, number=-1)
        announce(group.subscription_id)


_CHANGED_FIELDS = [
    "display_name",
    "display_name_key",
    "external_id",
    "document",
    "search",
    "version",
    "modified_at",
]


def _describe(group: UserGroup, profile: GroupProfile, at: datetime) -> None:
    group.display_name = profile.display_name
    group.display_name_key = profile.display_name.casefold()
    group.external_id = profile.external_id
    group.document = profile.document
    group.search = profile.search
    group.modified_at = at


def _locked(call: Call, scim_id: str) -> UserGroup:
    group = (
        UserGroup.objects.select_for_update()
        .filter(configuration=call.configuration, scim_id=scim_id, deleted_at__isnull=True)
        .first()
    )
    if group is None:
        raise GroupNotFound(scim_id)
    check_version(call, group.version)
    return group


def _conclude(call: Call, group: UserGroup, status: int, changes: dict[str, Any], outcome: memberships.Outcome) -> None:
    record_success(
        call,
        status=status,
        resource_id=group.scim_id,
        resource_name=group.display_name,
        changes=changes | outcome.summary(),
        detail=outcome.warning(),
    )
    announce(group.subscription_id)


def _taken(error: IntegrityError, profile: GroupProfile | None) -> Exception:
    match violated(error):
        case "group_display_name_unique" if profile:
            return GroupNameTaken(profile.display_name)
        case "group_external_id_unique" if profile:
            return GroupExternalIdTaken(profile.external_id)
    return error
