"""Groups: SCIM documents ↔ user groups and their memberships (RFC 7643 §4.2)."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import CharField, Value

from provisioning.models import GroupMembership, GroupNesting, ProvisioningConfiguration, UserGroup
from provisioning.services import groups
from provisioning.services.calls import Call
from provisioning.services.groups import GroupChange, GroupNotFound, GroupProfile
from provisioning.services.memberships import MemberChange
from provisioning.sql import Columns
from scim import patch
from scim.documents import Document, normalize
from scim.filter.match import fold_document
from scim.projection import Projection
from scim.resources.queries import Query
from scim.resources.reading import Page, Selection, one, page_of
from scim.resources.rendering import (
    Answer,
    etag,
    location,
    meta,
    read_only,
    with_schemas,
    without_schemas,
)
from scim.schema import GROUP, USER

Members = dict[int, list[Document]]

_MEMBERS = "members"


class _Row(NamedTuple):
    """What is read of a group, in the order of the statement's columns."""

    pk: int
    scim_id: str
    document: Document
    version: int
    created_at: datetime
    modified_at: datetime
    sort_value: Any = None


_COLUMNS = ("id", "scim_id", "document", "version", "created_at", "modified_at")
_SELECTION = Selection(GROUP, Columns(UserGroup, _COLUMNS, lambda values: _Row(*values)))


def read(*, configuration: ProvisioningConfiguration, scim_id: str, projection: Projection) -> Answer:
    """Return one group; its members are read only where they are wanted. Raises ``GroupNotFound``."""
    row = one(_SELECTION, configuration, scim_id)
    if row is None:
        raise GroupNotFound(scim_id)
    return _answer(row, configuration.tenant_url, projection)


def search(*, configuration: ProvisioningConfiguration, query: Query) -> tuple[Page, list[Document]]:
    """Return one page of the configuration's groups, and how many there are in all."""
    base, page = configuration.tenant_url, page_of(_SELECTION, configuration, query)
    members = _members([row.pk for row in page.rows], base, query.projection)
    return page, [query.projection.apply(render(row, members, base)) for row in page.rows]


def create(*, body: object, call: Call, projection: Projection) -> Answer:
    """Create a group. Raises ``ScimError``, ``GroupNameTaken``, ``GroupExternalIdTaken``."""
    document, sets = normalize(GROUP, body)
    members = sets.get(_MEMBERS, [])
    group = groups.create_group(profile=profile_of(document), members=members, call=call)
    return _answer(group, call.configuration.tenant_url, projection, may_have_members=bool(members))


def replace(*, scim_id: str, body: object, call: Call, projection: Projection) -> Answer:
    """Give a group this content and these members and no others (D-22).

    Raises as ``create`` does, and ``GroupNotFound``.
    """
    document, sets = normalize(GROUP, body)
    profile, members = profile_of(document), sets.get(_MEMBERS, [])

    def change(group: UserGroup) -> GroupChange:
        is_same = profile.document == group.document
        steps = [MemberChange("replace", tuple(members)) if members else MemberChange("clear")]
        return GroupChange(profile=None if is_same else profile, members=steps)

    group = groups.change_group(scim_id=scim_id, change=change, call=call)
    return _answer(group, call.configuration.tenant_url, projection, may_have_members=bool(members))


def modify(*, scim_id: str, body: object, call: Call, projection: Projection | None) -> Answer:
    """Carry out a PATCH; the group is told only where ``projection`` says what of it (D-11).

    Raises as ``replace`` does.
    """
    operations, base = patch.parse(body, GROUP), call.configuration.tenant_url

    def change(group: UserGroup) -> GroupChange:
        document, known = with_schemas(GROUP, group.document), read_only(GROUP, group, base)
        patched = patch.apply(operations, document, GROUP, read_only=known)
        steps = [MemberChange(step.kind.value, step.values) for step in patched.sets.get(_MEMBERS, ())]
        return GroupChange(profile=profile_of(patched.document) if patched.changed else None, members=steps)

    group = groups.change_group(scim_id=scim_id, change=change, call=call)
    if projection is None:
        return Answer(None, location(GROUP, group.scim_id, base), etag(group.version))
    return _answer(group, base, projection)


def remove(*, scim_id: str, call: Call) -> None:
    """Take a group out of SCIM. Raises ``GroupNotFound``."""
    groups.remove_group(scim_id=scim_id, call=call)


def profile_of(document: Document) -> GroupProfile:
    """Return the group that a normalized document describes."""
    kept = without_schemas(document)
    return GroupProfile(
        display_name=kept["displayName"],
        external_id=kept.get("externalId"),
        document=kept,
        search=fold_document(GROUP, kept),
    )


def render(row: Any, members: Members, base: str) -> Document:
    """Return the group that ``row`` holds, a ``UserGroup`` or what was selected of one, with its ``members``."""
    resource = with_schemas(GROUP, row.document)
    if listed := members.get(row.pk):
        resource[_MEMBERS] = listed
    return {"schemas": resource.pop("schemas"), "id": row.scim_id, **resource, "meta": meta(GROUP, row, base)}


def _answer(row: Any, base: str, projection: Projection, *, may_have_members: bool = True) -> Answer:
    members = _members([row.pk] if may_have_members else [], base, projection)
    body = projection.apply(render(row, members, base))
    return Answer(body, location(GROUP, row.scim_id, base), etag(row.version))


def _members(ids: list[int], base: str, projection: Projection) -> Members:
    """Return the members of these groups by one statement, or nothing at all where they are not wanted."""
    if not ids or not projection.wants(_MEMBERS):
        return {}
    members: Members = defaultdict(list)
    for group_id, scim_id, name, kind in _member_rows(ids):
        members[group_id].append(_member(scim_id, name, kind, base))
    return members


def _member_rows(ids: list[int]) -> Iterable[tuple[int, str, str, str]]:
    users = GroupMembership.objects.filter(group_id__in=ids, account__scim_id__isnull=False)
    nested = GroupNesting.objects.filter(group_id__in=ids, child__deleted_at__isnull=True)
    return users.values_list("group_id", "account__scim_id", "account__full_name", Value(USER.name, CharField())).union(
        nested.values_list("group_id", "child__scim_id", "child__display_name", Value(GROUP.name, CharField())),
        all=True,
    )


def _member(scim_id: str, name: str, kind: str, base: str) -> Document:
    resource_type = USER if kind == USER.name else GROUP
    member = {"value": scim_id, "$ref": location(resource_type, scim_id, base), "type": kind}
    return {**member, "display": name} if name else member
