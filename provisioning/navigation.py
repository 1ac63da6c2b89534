"""The navigation on the left: which pages there are, and which of them the person sees."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.urls import NoReverseMatch

from provisioning.addresses import address
from provisioning.permissions import ROLES, Permission, PortalRequest


@dataclass(frozen=True, slots=True)
class Page:
    """An entry of the navigation; ``parts`` are the URL names of the pages below it."""

    title: str
    icon: str
    name: str
    permission: Permission = Permission.SEE
    parts: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Entry:
    """A page as one person sees it, with its address."""

    page: Page
    url: str
    is_current: bool


_USER_PAGES = frozenset({"user", "user_create", "user_edit", "user_delete", "users_import", "user_import"})
_TRUSTED_PAGES = frozenset({"trusted_person_add", "trusted_person_edit", "trusted_person_remove"})
_SETTINGS_PAGES = frozenset({"single_sign_on", "single_sign_on_remove"})
_APPLICATION_PAGES = frozenset({"application", "application_create", "application_edit", "application_delete"})
_VAULT_PAGES = frozenset(
    {
        *("vault", "vault_create", "vault_remove", "vault_users", "vault_user_disable", "vault_access"),
        *("vault_drift", "vault_drift_report", "vault_groups", "vault_group", "vault_group_create"),
    }
)
_LINK_PAGES = frozenset({"link", "link_create", "link_preview", "link_mode", "link_move", "link_remove"})
_LICENSE_PAGES = frozenset({"license_order", "license_order_preview"})
SECTIONS: tuple[tuple[str, tuple[Page, ...]], ...] = (
    ("", (Page("Home", "home", "home"),)),
    (
        "Users",
        (
            Page("Internal users", "users", "users", parts=_USER_PAGES),
            Page("Application accounts", "application", "applications", parts=_APPLICATION_PAGES),
        ),
    ),
    (
        "Resources",
        (
            Page("Vaults", "vault", "vaults", parts=_VAULT_PAGES),
            Page("Trusted persons", "users", "trusted_persons", parts=_TRUSTED_PAGES),
            Page("Licenses", "license", "licenses", Permission.SEE_LICENSES, _LICENSE_PAGES),
        ),
    ),
    (
        "Provisioning",
        (
            Page(
                "Configurations",
                "configuration",
                "configurations",
                Permission.PROVISIONING,
                frozenset(
                    {
                        *("configuration", "configuration_create", "configuration_settings", "configuration_license"),
                        *("configuration_delete", "configuration_disconnect", "secret_rotate", "secret_revoke"),
                        *("rotation_complete", "rotation_cancel", "bearer_token_create", "bearer_token_revoke"),
                        *("trusted_issuer", "trusted_issuer_end"),
                    }
                ),
            ),
            Page("User groups", "group", "groups", Permission.PROVISIONING, frozenset({"group", "group_license"})),
            Page("Links", "link", "links", Permission.PROVISIONING, _LINK_PAGES),
            Page("Log", "log", "log", Permission.PROVISIONING, frozenset({"log_entry"})),
            Page("Held changes", "clock", "held", Permission.PROVISIONING, frozenset({"held_decide"})),
        ),
    ),
    ("Security", (Page("Audit log", "audit", "audit", Permission.SEE_OWN_ACTS, frozenset({"audit_entry"})),)),
    (
        "Settings",
        (
            Page("Settings", "settings", "settings", Permission.CHANGE_SETTINGS, _SETTINGS_PAGES),
            Page("Notifications", "bell", "notifications", Permission.SEE_LICENSES),
        ),
    ),
)


def sections(request: PortalRequest) -> Iterator[tuple[str, list[Entry]]]:
    """Return the headings and entries that the person may see; a page without an address does not exist yet."""
    for heading, pages in SECTIONS:
        entries = [entry for page in pages if (entry := _entry(request, page))]
        if entries:
            yield heading, entries


def _entry(request: PortalRequest, page: Page) -> Entry | None:
    if page.permission not in ROLES[request.role]:
        return None
    try:
        url = address(request.subscription, page.name)
    except NoReverseMatch:
        return None
    here = request.resolver_match.url_name if request.resolver_match else None
    return Entry(page, url, here == page.name or here in page.parts)
