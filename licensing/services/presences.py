"""How accounts stand in vaults, for screens and commands."""

from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass

from licensing.models import Ending, VaultUser, VaultUserMembership
from licensing.plans.presence import PresenceFacts, view
from provisioning.models import Vault


@dataclass(frozen=True, slots=True)
class Presence:
    """An account in one vault; ``groups`` are the names of the target groups that it is in or shall join.

    ``sources`` are the names of the user groups whose links want it there.
    """

    vault: Vault
    state: str
    groups: tuple[str, ...]
    sources: tuple[str, ...]
    why: str
    is_due: bool
    needs_person: bool


def of_users(users: Iterable[VaultUser], *, given: Container[int] = (), blocked: Container[int] = ()) -> list[Presence]:
    """Return the presence of each of these vault users, which were read with their vaults and statuses.

    ``given`` and ``blocked`` are vaults where an admin decided so, even if no worker has looked at it yet.
    """
    users, members = list(users), defaultdict(list)
    rows = VaultUserMembership.objects.filter(vault_user__in=[user.pk for user in users])
    for one in rows.select_related("target__link__group").order_by("target__name"):
        members[one.vault_user_id].append(one)
    return [
        _presence(
            user,
            members[user.pk],
            is_given=user.wanted_manual or user.vault_id in given,
            is_blocked=user.is_blocked or user.vault_id in blocked,
        )
        for user in users
    ]


def _presence(user: VaultUser, members: list[VaultUserMembership], *, is_given: bool, is_blocked: bool) -> Presence:
    wanted = [member for member in members if member.wanted]
    links = [getattr(member.target, "link", None) for member in wanted]
    sources = tuple(link.group.display_name for link in links if link)
    status = getattr(user.vault, "status", None)
    words = view(
        PresenceFacts(
            wanted_enabled=user.wanted_enabled,
            seen_enabled=user.seen_enabled,
            disabled_by_person=user.disabled_by == VaultUser.DisabledBy.PERSON and not user.overrides_person,
            is_due=user.due_at is not None,
            reason=user.reason,
            vault_problem=status.reason if status else "",
            sources=sources,
            is_given=is_given,
            is_blocked=is_blocked,
        )
    )
    return Presence(
        vault=user.vault,
        state=words.state,
        groups=tuple(member.target.name for member in wanted),
        sources=sources,
        why=words.why,
        is_due=user.due_at is not None,
        needs_person=user.state == Ending.STALLED,
    )
