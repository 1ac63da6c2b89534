"""An account in each vault that knows it or shall: for its page, its timeline and ``manage.py explain``."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from licensing.models import VaultUser
from licensing.plans import access, presence
from licensing.plans.access import AccessFacts
from licensing.plans.vaults import has_full_control
from licensing.services import presences
from licensing.services.presences import Presence
from provisioning.models import LoginAccount, Vault, VaultAccess

_VAULTS_OFFERED: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An account in one vault, with what admins decided there; ``why`` is a sentence without a full stop.

    ``decided_at`` is when an admin gave or took access last; ``is_enabled`` is what the vault showed last.
    """

    presence: Presence
    facts: AccessFacts
    is_enabled: bool = False
    is_disabled_by_person: bool = False
    decided_at: datetime | None = None

    @property
    def vault(self) -> Vault:
        return self.presence.vault

    @property
    def rights(self) -> str:
        """*Admin rights in this vault*."""
        return access.rights(self.facts)

    @property
    def access(self) -> str:
        """Who gives or takes access."""
        return access.access(self.facts)

    @property
    def left_without_gift(self) -> str:
        """What stays when what an admin gave is taken away."""
        return access.left_without_gift(self.facts)

    @property
    def has_full_control(self) -> bool:
        """Whether the vault user has *Full control of vault*, or shall have it."""
        decided = self.facts.full_control
        return has_full_control(self.facts.seen_roles or 0) if decided is None else decided

    @property
    def full_control_is_decided(self) -> bool:
        """Whether an admin decided about *Full control of vault*."""
        return self.facts.full_control is not None

    @property
    def can_be_enabled(self) -> bool:
        """Whether somebody, in the portal or in the vault, has disabled the vault user."""
        return self.facts.is_blocked or self.is_disabled_by_person


def of_account(account: LoginAccount) -> list[Place]:
    """Return the account's places by the vault's name: three statements, the same for one vault and for many."""
    rows = VaultAccess.objects.filter(account=account).select_related("vault")
    decisions = {decision.vault_id: decision for decision in rows}
    users = list(VaultUser.objects.filter(account=account).select_related("vault__status"))
    given, blocked = (
        {pk for pk, decision in decisions.items() if decision.access == said}
        for said in (VaultAccess.Access.GIVEN, VaultAccess.Access.BLOCKED)
    )
    seen = presences.of_users(users, given=given, blocked=blocked)
    places = [_place(one, user, decisions.pop(user.vault_id, None)) for one, user in zip(seen, users, strict=True)]
    places += [_to_come(decision) for decision in decisions.values()]
    return sorted(places, key=lambda place: (place.vault.name.casefold(), place.vault.pk))


def in_vault(account: LoginAccount, vault: Vault) -> Place:
    """Return the account's place in the vault, which may know nothing of it."""
    known = {place.vault.pk: place for place in of_account(account)}
    return known.get(vault.pk) or _to_come(VaultAccess(account=account, vault=vault))


def others(account: LoginAccount) -> list[Vault]:
    """Return vaults that the account is not known in, by name: the first ones, to choose from."""
    rows = Vault.objects.filter(subscription=account.subscription_id)
    known = VaultUser.objects.filter(account=account).values("vault_id")
    decided = VaultAccess.objects.filter(account=account).values("vault_id")
    return list(rows.exclude(pk__in=known).exclude(pk__in=decided).order_by("name", "id")[:_VAULTS_OFFERED])


def _place(seen: Presence, user: VaultUser, decision: VaultAccess | None) -> Place:
    facts = AccessFacts(
        seen_roles=user.seen_roles,
        full_control=decision.full_control if decision else None,
        sources=seen.sources,
        is_given=decision is not None and decision.access == VaultAccess.Access.GIVEN,
        is_blocked=decision is not None and decision.access == VaultAccess.Access.BLOCKED,
    )
    return Place(
        presence=seen,
        facts=facts,
        is_enabled=bool(user.seen_enabled),
        is_disabled_by_person=user.disabled_by == VaultUser.DisabledBy.PERSON,
        decided_at=_decided_at(decision),
    )


def _to_come(decision: VaultAccess) -> Place:
    """Return the place in a vault that has no vault user, and perhaps never gets one."""
    is_given = decision.access == VaultAccess.Access.GIVEN
    is_blocked = decision.access == VaultAccess.Access.BLOCKED
    words = presence.view(
        presence.PresenceFacts(wanted_enabled=False, seen_enabled=None, is_given=is_given, is_blocked=is_blocked)
    )
    nothing = Presence(decision.vault, words.state, (), (), words.why, is_due=is_given, needs_person=False)
    facts = AccessFacts(full_control=decision.full_control, is_given=is_given, is_blocked=is_blocked)
    return Place(presence=nothing, facts=facts, decided_at=_decided_at(decision))


def _decided_at(decision: VaultAccess | None) -> datetime | None:
    if decision is None or decision.access == VaultAccess.Access.BY_LINKS:
        return None
    return decision.changed_at
