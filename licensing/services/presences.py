"""How accounts stand in vaults, for screens and commands."""

from dataclasses import dataclass

from licensing.models import Ending, VaultUser, VaultUserMembership
from licensing.plans.presence import PresenceFacts, view
from provisioning.models import LoginAccount, Vault


@dataclass(frozen=True, slots=True)
class Presence:
    """An account in one vault; ``groups`` are the names of the target groups that it is in or shall join."""

    vault: Vault
    state: str
    groups: tuple[str, ...]
    why: str
    is_due: bool
    needs_person: bool


def of_account(account: LoginAccount) -> list[Presence]:
    """Return the account's presence in every vault that knows it or shall, by the vault's name: two statements."""
    users = VaultUser.objects.filter(account=account).select_related("vault__status").order_by("vault__name")
    members = VaultUserMembership.objects.filter(vault_user__account=account).select_related("target__link__group")
    memberships = list(members.order_by("target__name"))
    return [_presence(user, [one for one in memberships if one.vault_user_id == user.pk]) for user in users]


def _presence(user: VaultUser, members: list[VaultUserMembership]) -> Presence:
    wanted = [member for member in members if member.wanted]
    links = [getattr(member.target, "link", None) for member in wanted]
    status = getattr(user.vault, "status", None)
    words = view(
        PresenceFacts(
            wanted_enabled=user.wanted_enabled,
            seen_enabled=user.seen_enabled,
            disabled_by_person=user.disabled_by == VaultUser.DisabledBy.PERSON,
            is_due=user.due_at is not None,
            reason=user.reason,
            vault_problem=status.reason if status else "",
            sources=tuple(link.group.display_name for link in links if link),
        )
    )
    return Presence(
        vault=user.vault,
        state=words.state,
        groups=tuple(member.target.name for member in wanted),
        why=words.why,
        is_due=user.due_at is not None,
        needs_person=user.state == Ending.STALLED,
    )
