"""What licensing adds to the portal's lists and to Home, registered in ``ready()``."""

from collections.abc import Mapping, Sequence

from django.db.models import Count

from licensing import filters
from licensing.models import Ending, LicenseGrant, VaultStatus, VaultUser
from licensing.plans.links import LinkState, LinkView
from licensing.services import link_states, overview, user_files, vault_users
from licensing.views import access, accounts, configurations, imports, links, vaults
from licensing.views import fragments as pieces
from provisioning import columns, fragments, user_licenses
from provisioning import filters as user_filters
from provisioning.addresses import address
from provisioning.columns import Cell, Column, Deed, Tone
from provisioning.fragments import Notice
from provisioning.license_types import LicenseType
from provisioning.models import Subscription, Vault
from provisioning.permissions import Permission
from provisioning.queries.pages import number_words

_TONES: Mapping[LinkState, Tone] = {
    LinkState.IN_SYNC: "good",
    LinkState.PENDING: "waiting",
    LinkState.SYNCHRONIZING: "waiting",
    LinkState.NEEDS_ATTENTION: "problem",
    LinkState.SOURCE_DELETED: "problem",
    LinkState.PAUSED: "quiet",
}


def register() -> None:
    """Add licensing's columns, deeds, filters, fragments and notices to the portal."""
    columns.register("accounts", Column("License", license_cells))
    columns.register("accounts", Column("Vaults", vault_count_cells))
    columns.register_deed("accounts", Deed("Pin license", "license_pins", Permission.CHANGE_USERS))
    for one in (filters.LICENSE, filters.WAITS, filters.VAULT):
        user_filters.register(one)
    columns.register("links", Column("State", link_cells))
    columns.register("vaults", Column("Synchronization", vault_cells))
    columns.register("vaults", Column("Users enabled", enabled_cells))
    columns.register("home_vaults", Column("Synchronization", vault_cells))
    fragments.register("vault", vaults.vault)
    fragments.register("home", pieces.home)
    fragments.register("account", accounts.account)
    fragments.register("account", access.vaults)
    fragments.register("link", links.members)
    fragments.register("link_mode", links.mode)
    fragments.register("link_move", links.move)
    fragments.register("link_preview", links.addition)
    fragments.register("link_removal", links.removal)
    fragments.register("timeline", accounts.timeline)
    fragments.register("group_license", pieces.group_license)
    fragments.register("configuration_license", configurations.default_license)
    fragments.register("configuration_deletion", configurations.deletion)
    fragments.register("user_import", imports.user_import)
    fragments.register_notices(notices)
    user_licenses.register(user_files.FILES)


def license_cells(ids: Sequence[int]) -> dict[int, Cell]:
    """Return each account's license, and what it waits for."""
    rows = LicenseGrant.objects.filter(account_id__in=ids)
    return {grant.account_id: _license_cell(grant) for grant in rows}


def _license_cell(grant: LicenseGrant) -> Cell:
    label = LicenseType(grant.granted_type).label
    if grant.is_waiting:
        return Cell(label, "waiting", f"Waits for {LicenseType(grant.wanted_type).label}")
    return Cell(label, "good" if grant.granted_type else "quiet")


def vault_count_cells(ids: Sequence[int]) -> dict[int, Cell]:
    """Return in how many vaults each account is enabled."""
    rows = VaultUser.objects.filter(account_id__in=ids, seen_enabled=True).values_list("account_id")
    return {pk: Cell(str(number), "quiet") for pk, number in rows.annotate(number=Count("pk")) if pk is not None}


def link_cells(ids: Sequence[int]) -> dict[int, Cell]:
    """Return how each link stands."""
    return {pk: _link_cell(view) for pk, view in link_states.views(ids).items()}


def _link_cell(view: LinkView) -> Cell:
    text = f"{view.state.capitalize()} {view.progress}".strip()
    return Cell(text, _TONES[view.state], view.reason)


def vault_cells(ids: Sequence[int]) -> dict[int, Cell]:
    """Return how keeping each vault in step goes."""
    tones: dict[str, Tone] = {Ending.READY: "good", Ending.RETRYING: "waiting", Ending.STALLED: "problem"}
    statuses = VaultStatus.objects.filter(vault_id__in=ids)
    return {one.vault_id: Cell(Ending(one.state).label, tones[one.state], one.reason) for one in statuses}


def enabled_cells(ids: Sequence[int]) -> dict[int, Cell]:
    """Return how many users are enabled in each vault."""
    rows = Vault.objects.filter(pk__in=ids).annotate(enabled=vault_users.ENABLED_COUNT).values_list("pk", "enabled")
    return {pk: Cell(number_words(number), "quiet") for pk, number in rows}


def notices(subscription: Subscription) -> list[Notice]:
    """Return the licenses in use, and what about licenses and vaults needs attention."""
    pools = overview.pools(subscription)
    seats = [pool for pool in pools if pool.free is not None]
    used, total = sum(pool.in_use for pool in seats), sum(pool.total for pool in seats)
    page = address(subscription, "licenses")
    found = [Notice(f"{used:,} of {total:,} licenses in use", page, "good", Permission.SEE_LICENSES)]
    for pool in pools:
        label = pool.license_type.label
        if pool.over:
            text = f"{label}: {pool.over:,} more granted than purchased, so no further license is granted."
            found.append(Notice(text, page, "problem", Permission.SEE_LICENSES))
        if pool.waiting:
            people = "1 user waits" if pool.waiting == 1 else f"{pool.waiting:,} users wait"
            found.append(Notice(f"{people} for a {label} license.", page, "waiting", Permission.SEE_LICENSES))
    return [*found, *map(_vault_notice, overview.unwell_vaults(subscription))]


def _vault_notice(status: VaultStatus) -> Notice:
    vault = status.vault
    return Notice(f"Vault {vault.name}: {status.reason}", address(vault.subscription, "vault", pk=vault.pk))
