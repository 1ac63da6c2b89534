"""Deleting a configuration: undone within a day, or else final (1-product §1.2, rule 7).

While it can be undone, rows stay as they are but for marks that carry the moment of the deletion: on the
configuration, on its groups, and on its links, which are paused, so that targets in vaults keep their members. Its
accounts count as manual ones at once; their own type is what the configuration's default was.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, QuerySet

from provisioning.actor import SYSTEM, Actor
from provisioning.models import (
    GroupLink,
    GroupMembership,
    HeldChange,
    LoginAccount,
    ProvisioningConfiguration,
    ProvisioningLogEntry,
    UserGroup,
)
from provisioning.services import access, totals
from provisioning.services.accounts import touch_accounts
from provisioning.services.configurations import ConfigurationDeleted, record_deed
from provisioning.services.notices import announce
from provisioning.signals import accounts_becoming_manual, links_ending
from provisioning.sql import run_alone

UNDO: Final = timedelta(hours=24)
"""For how long a deletion can be undone."""
_CHUNK: Final = 2_000
_NAME_LENGTH: Final = 200


class NotDeleted(Exception):
    """There is no deletion to undo."""

    def __init__(self, configuration: ProvisioningConfiguration) -> None:
        super().__init__(f"“{configuration.name}” is not deleted, so there is nothing to undo.")


class DeletionFinal(Exception):
    """The deletion can be undone no more."""

    def __init__(self, configuration: ProvisioningConfiguration) -> None:
        super().__init__(
            f"“{configuration.name}” was deleted more than 24 hours ago, which is final. Create a new configuration."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """What a deletion concerns: users become manual; groups and links go."""

    users: int
    groups: int
    links: int


def extent(configuration: ProvisioningConfiguration) -> Extent:
    """Return what there is of the configuration now."""
    return Extent(
        users=LoginAccount.objects.filter(configuration=configuration).count(),
        groups=UserGroup.objects.filter(configuration=configuration, deleted_at=None).count(),
        links=GroupLink.objects.filter(group__configuration=configuration).count(),
    )


@transaction.atomic
def delete_configuration(*, configuration: ProvisioningConfiguration, actor: Actor, at: datetime) -> Extent:
    """Delete the configuration so that no old secret or token opens anything any more; undone within 24 hours.

    Users stay, as manual ones whose own type is the configuration's default; its groups and links go, and targets in
    vaults keep their members. Raises ``ConfigurationDeleted``.
    """
    found = _locked(configuration)
    if found.deleted_at is not None:
        raise ConfigurationDeleted(found)
    reach = extent(found)
    GroupLink.objects.filter(group__configuration=found, paused_at=None).update(paused_at=at)
    moved = _move_groups(found, origin=None, to=at)
    _revoke(found, at)
    moved += _move_groups(found, origin=None, to=at)  # those that came before the last call was shut out
    _change(found, deleted_at=at)
    run_alone(totals.step(found.pk, totals.GROUP, -moved))
    record_deed(found, "delete configuration", actor, at, {"users": [reach.users, 0], "groups": [reach.groups, 0]})
    return reach


@transaction.atomic
def restore_configuration(*, configuration: ProvisioningConfiguration, actor: Actor, at: datetime) -> Extent:
    """Undo the deletion: groups, links and users are as they were, but for secrets and tokens, which stay revoked.

    Groups that had been deleted before and links that had been paused before stay so. Raises ``NotDeleted`` and
    ``DeletionFinal``.
    """
    found = _locked(configuration)
    if found.deleted_at is None:
        raise NotDeleted(found)
    if at - found.deleted_at >= UNDO or _is_final(found):
        raise DeletionFinal(found)
    moved = _move_groups(found, origin=found.deleted_at, to=None)
    paused = GroupLink.objects.filter(group__configuration=found, paused_at=found.deleted_at)
    paused.update(paused_at=None, generation=F("generation") + 1)
    _revoke(found, at)
    _change(found, deleted_at=None)
    run_alone(totals.step(found.pk, totals.GROUP, moved))
    record_deed(found, "restore configuration", actor, at, {})
    return extent(found)


def purge(*, at: datetime) -> int:
    """Make deletions final that can be undone no more, a few rows in a transaction; return how many.

    The row of a configuration stays, under another name, until the log has forgotten its last call.
    """
    ended = ProvisioningConfiguration.objects.filter(deleted_at__lte=at - UNDO).order_by("pk")
    return sum(_purge(configuration, at) for configuration in ended)


def _purge(configuration: ProvisioningConfiguration, at: datetime) -> bool:
    """Return whether this was not final yet."""
    is_new = not _is_final(configuration)
    if is_new:
        _rename(configuration, at)
    for links in _chunks(GroupLink.objects.filter(group__configuration=configuration)):
        _end_links(links)
    for accounts in _chunks(LoginAccount.objects.filter(configuration=configuration)):
        _release(configuration, accounts, at)
    for members in _chunks(GroupMembership.objects.filter(group__configuration=configuration)):
        GroupMembership.objects.filter(pk__in=members).delete()
    for groups in _chunks(UserGroup.objects.filter(configuration=configuration)):
        UserGroup.objects.filter(pk__in=groups).delete()
    if not ProvisioningLogEntry.objects.filter(configuration=configuration).exists():
        configuration.application.delete()
    return is_new


@transaction.atomic
def _rename(configuration: ProvisioningConfiguration, at: datetime) -> None:
    """Free the name, and by the other one know that the deletion is final."""
    mark = _mark(configuration)
    name = configuration.name[: _NAME_LENGTH - len(mark)] + mark
    ProvisioningConfiguration.objects.filter(pk=configuration.pk).update(name=name)
    record_deed(configuration, "make deletion of configuration final", SYSTEM, at, {"name": [configuration.name, name]})


@transaction.atomic
def _end_links(ids: list[int]) -> None:
    links_ending.send(sender=None, link_ids=ids)
    GroupLink.objects.filter(pk__in=ids).delete()


@transaction.atomic
def _release(configuration: ProvisioningConfiguration, ids: list[int], at: datetime) -> None:
    """Let accounts be manual ones for good, with what the configuration gave as their own type."""
    accounts_becoming_manual.send(sender=None, configuration=configuration, account_ids=ids, at=at)
    rows = LoginAccount.objects.filter(pk__in=ids)
    scim_ids = list(rows.select_for_update().order_by("pk").values_list("scim_id", flat=True))
    known = sum(one is not None for one in scim_ids)
    rows.update(configuration=None, scim_id=None, intended_active=None)
    withdrawn = HeldChange.Decision.WITHDRAWN
    HeldChange.objects.filter(account__in=ids, decision="").update(decision=withdrawn, decided_at=at)
    touch_accounts(ids)
    run_alone(totals.step(configuration.pk, totals.USER, -known))
    announce(configuration.subscription_id)


def _chunks(rows: QuerySet[Any]) -> Iterator[list[int]]:
    """Return the ids of rows that are gone when the next chunk is asked for."""
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:_CHUNK]):
        yield ids


def _locked(configuration: ProvisioningConfiguration) -> ProvisioningConfiguration:
    """Return the row as it is, locked but for who only refers to it: a call that is being logged must not wait."""
    rows = ProvisioningConfiguration.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("application").get(pk=configuration.pk)


def _change(found: ProvisioningConfiguration, *, deleted_at: datetime | None) -> None:
    """Record the moment, and that every account of the configuration must be looked at."""
    rows = ProvisioningConfiguration.objects.filter(pk=found.pk)
    rows.update(deleted_at=deleted_at, generation=F("generation") + 1)
    announce(found.subscription_id)


def _revoke(found: ProvisioningConfiguration, at: datetime) -> None:
    """End all access. Calls that hold a group's row wait for this lock, so whoever takes it must have the groups."""
    access.end_access(access.locked(found), at=at)


def _move_groups(found: ProvisioningConfiguration, *, origin: datetime | None, to: datetime | None) -> int:
    """Take the groups that were deleted at ``origin`` (None: live ones) out of every computation, or back in.

    Returns how many; the total, which is the last row that anybody locks, is the caller's to change.
    """
    groups = UserGroup.objects.filter(configuration=found, deleted_at=origin)
    return groups.update(deleted_at=to, generation=F("generation") + 1)


def _mark(configuration: ProvisioningConfiguration) -> str:
    return f" (deleted {configuration.deleted_at:%Y-%m-%d %H:%M:%S})"


def _is_final(configuration: ProvisioningConfiguration) -> bool:
    return configuration.name.endswith(_mark(configuration))
