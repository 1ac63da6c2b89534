"""Provisioning on demand: one user, or a group with a few members, at once (*provision-on-demand*)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import httpx

from mfmanage.entra import cycle, groups, service, users
from mfmanage.entra.client import Client, Connection
from mfmanage.entra.context import Context
from mfmanage.entra.directory import Directory, Group, User
from mfmanage.entra.escrow import settle
from mfmanage.entra.job import Job
from mfmanage.entra.results import ObjectResult
from mfmanage.entra.service import GROUPS, USERS
from mfmanage.entra.state import State
from mfmanage.entra.styles import Style
from mfmanage.entra.timing import stamp

MOST_MEMBERS: Final = 5


class ObjectMissing(Exception):
    """The directory has no such user or group, or the group no such member; the text is a sentence."""


def on_demand(
    connection: Connection,
    directory: Directory,
    *,
    user: str = "",
    group: str = "",
    members: Sequence[str] = (),
    state: State,
    job: Job,
    now: datetime | None = None,
    transport: httpx.BaseTransport | None = None,
) -> list[ObjectResult]:
    """Provision the user of that userPrincipalName, or the group of that displayName with five members at most.

    The source is what the next cycle would see. Objects are matched by queries, ids that are cached are not
    used, and PATCHes are in the default style, for the flag in the Tenant URL is not honored on demand. Of a
    group, ``members`` are the userPrincipalNames to provision and add, its first five members without them;
    nobody is taken out. Raises ``ObjectMissing``, ``ConnectionFailed``.
    """
    state.next_at = state.next_at or stamp(now or datetime.now(UTC))
    with Client(connection, transport=transport) as client:
        context = replace(
            cycle.begin(client, directory, state, Style.DEFAULT, replace(job, deletion_threshold=None)),
            is_initial=True,
            on_demand=True,
        )
        if group:
            return _group(context, _found_group(context.snapshot.groups.values(), group), members)
        return [_user(context, _found_user(context.snapshot.users.values(), user, "."))]


def _user(context: Context, user: User) -> ObjectResult:
    service.probe(context.client, {USERS: context.job.mapping.matching[0].path})
    return settle(context, users.provision(context, user))


def _group(context: Context, group: Group, names: Sequence[str]) -> list[ObjectResult]:
    everybody = [context.snapshot.users[member] for member in group.members]
    chosen = [_found_user(everybody, name, " in the group.") for name in names] or everybody[:MOST_MEMBERS]
    service.probe(context.client, {GROUPS: "displayName"})
    results = [settle(context, users.provision(context, user)) for user in chosen]
    few = replace(group, members=tuple(user.id for user in chosen))
    return [*results, settle(context, groups.provision(context, few))]


def _found_user(among: Iterable[User], name: str, where: str) -> User:
    found = next((user for user in among if user.user_principal_name.casefold() == name.casefold()), None)
    if found is None:
        raise ObjectMissing(f"There is no user {name!r}{where}")
    return found


def _found_group(among: Iterable[Group], name: str) -> Group:
    found = next((group for group in among if group.display_name.casefold() == name.casefold()), None)
    if found is None:
        raise ObjectMissing(f"There is no group {name!r}.")
    return found
