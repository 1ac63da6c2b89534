"""The users of one vault as a page lists them, and how the vault is doing: fast with 250,000 of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from licensing.models import Ending, VaultUser
from licensing.plans.vaults import admin_rights
from licensing.services import presences
from licensing.services.presences import Presence
from provisioning.models import Vault, VaultAccess
from provisioning.queries.accounts import matching
from provisioning.queries.pages import COUNT_LIMIT, Page, fetch, fetch_few

ENABLED_COUNT: Final = RawSQL(
    "(SELECT COUNT(*) FROM (SELECT 1 FROM licensing_vaultuser AS u"
    " WHERE u.vault_id BETWEEN provisioning_vault.id AND provisioning_vault.id AND u.seen_enabled"
    " ORDER BY u.vault_id, u.id LIMIT %s) AS found)",
    [COUNT_LIMIT + 1],
)
"""The enabled users of a row of ``Vault``, counted to ``COUNT_LIMIT + 1`` at most.

BETWEEN, because after ``=`` PostgreSQL drops ``vault_id`` from the order, and any index of ``id`` has what is left: it
would look for the few users of a vault among those of all. Only the index of enabled users has this order.
"""
_HAS_ACCOUNT = Q(account__isnull=False)
_BY_ACCOUNT: Final = ("account_id",)


@dataclass(frozen=True, slots=True)
class Row:
    """A vault user with how it stands, its admin rights in words (empty: not known yet) and what admins decided."""

    user: VaultUser
    presence: Presence
    admin_rights: str
    access: VaultAccess.Access

    @property
    def is_blocked(self) -> bool:
        return self.access == VaultAccess.Access.BLOCKED

    @property
    def is_held_back(self) -> bool:
        """Whether an admin, here or in the vault, keeps the user disabled: ``unblock`` enables it again."""
        by_person = self.user.seen_enabled is False and self.user.disabled_by == VaultUser.DisabledBy.PERSON
        return self.is_blocked or (by_person and self.user.wanted_enabled)


_Lister = Callable[[QuerySet[VaultUser], Q, str], Page[VaultUser]]


def page_of(vault: Vault, *, state: str, search: str, cursor: str) -> Page[VaultUser]:
    """Return a page of the vault's users in a state of ``LISTS`` with any of the words in username, name or e-mail."""
    rows = VaultUser.objects.filter(vault=vault).select_related("account", "vault__status")
    narrow = matching(search, "account__") if search else Q()
    return LISTS[state](rows.defer("account__document", "account__search"), narrow, cursor)


def _enabled(rows: QuerySet[VaultUser], narrow: Q, cursor: str) -> Page[VaultUser]:
    return fetch(rows.filter(seen_enabled=True), keys=("id",), cursor=cursor, narrow=narrow or None)


def _disabled(rows: QuerySet[VaultUser], narrow: Q, cursor: str) -> Page[VaultUser]:
    narrow &= Q(seen_enabled=False)
    return fetch(rows.filter(_HAS_ACCOUNT), keys=_BY_ACCOUNT, cursor=cursor, narrow=narrow)


def _stalled(rows: QuerySet[VaultUser], narrow: Q, cursor: str) -> Page[VaultUser]:
    return fetch_few(rows.filter(narrow, state=Ending.STALLED), keys=("id",), cursor=cursor)


def _detached(rows: QuerySet[VaultUser], narrow: Q, cursor: str) -> Page[VaultUser]:
    return fetch_few(rows.filter(narrow, account__isnull=True), keys=("id",), cursor=cursor)


def _with_account(rows: QuerySet[VaultUser], narrow: Q, cursor: str) -> Page[VaultUser]:
    return fetch(rows.filter(_HAS_ACCOUNT), keys=_BY_ACCOUNT, cursor=cursor, narrow=narrow or None)


LISTS: Final[Mapping[str, _Lister]] = {
    "enabled": _enabled,
    "disabled": _disabled,
    "person": _stalled,
    "detached": _detached,
    "all": _with_account,
}
"""How each state is found: by an index in its order, or as rows that are few."""


def rows_of(users: Sequence[VaultUser]) -> list[Row]:
    """Return users of one vault, read by ``page_of`` or ``find``, as rows: two statements."""
    stands = presences.of_users(users)
    accounts = [user.account_id for user in users if user.account_id]
    vaults = {user.vault_id for user in users}
    decided = VaultAccess.objects.filter(account_id__in=accounts, vault_id__in=vaults)
    accesses = {one.account_id: VaultAccess.Access(one.access) for one in decided}
    return [
        Row(
            user,
            presence,
            "" if user.seen_roles is None else admin_rights(user.seen_roles),
            accesses.get(user.account_id or 0, VaultAccess.Access.BY_LINKS),
        )
        for user, presence in zip(users, stands, strict=True)
    ]


def find(vault: Vault, pk: int) -> Row | None:
    """Return the user of the vault that has an account, as a row."""
    rows = VaultUser.objects.filter(_HAS_ACCOUNT, vault=vault, pk=pk).select_related("account", "vault__status")
    found = list(rows.defer("account__document", "account__search"))
    return rows_of(found)[0] if found else None


def enabled(vault: Vault) -> int:
    """Return how many users of the vault are enabled, counted to ``COUNT_LIMIT + 1`` at most."""
    return VaultUser.objects.filter(vault=vault, seen_enabled=True).order_by("id")[: COUNT_LIMIT + 1].count()
