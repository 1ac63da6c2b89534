from django.urls import URLPattern, include, path

from licensing.views import (
    access,
    accounts,
    configurations,
    fragments,
    imports,
    licenses,
    links,
    vault_changes,
    vault_groups,
    vault_users,
    vaults,
)

_fragments = [
    path("home/", fragments.home, name="licensing_home"),
    path("account/<int:pk>/", accounts.account, name="licensing_account"),
    path("account-vaults/<int:pk>/", access.vaults, name="licensing_account_vaults"),
    path("timeline/<int:pk>/", accounts.timeline, name="licensing_timeline"),
    path("group-license/<int:pk>/", fragments.group_license, name="licensing_group_license"),
    path("configuration-license/<int:pk>/", configurations.default_license, name="licensing_configuration_license"),
    path("configuration-deletion/<int:pk>/", configurations.deletion, name="licensing_configuration_deletion"),
    path("link/<int:pk>/", links.members, name="licensing_link"),
    path("link-mode/<int:pk>/", links.mode, name="licensing_link_mode"),
    path("link-move/<int:pk>/", links.move, name="licensing_link_move"),
    path("link-preview/<int:pk>/", links.addition, name="licensing_link_preview"),
    path("link-removal/<int:pk>/", links.removal, name="licensing_link_removal"),
    path("user-import/<int:pk>/", imports.user_import, name="licensing_user_import"),
    path("vault/<int:pk>/", vaults.vault, name="licensing_vault"),
    path("vault-comparison/<int:pk>/", vaults.comparison, name="licensing_vault_comparison"),
]
_pages = [
    path("pins/", accounts.pins, name="license_pins"),
    path("accounts/<int:pk>/resync/", accounts.resync, name="license_resync"),
    path("accounts/<int:pk>/type/", accounts.manual_type, name="license_manual_type"),
    path("accounts/<int:pk>/vaults/", access.give, name="vault_access_give"),
    path("", licenses.licenses, name="licenses"),
    path("order/", licenses.order, name="license_order"),
    path("order/preview/", licenses.order_preview, name="license_order_preview"),
    path("history.csv", licenses.history_csv, name="license_history_csv"),
    path("queue.csv", licenses.queue_csv, name="license_queue_csv"),
]
_vault_pages: list[URLPattern] = [
    path("accounts/<int:pk>/", access.change, name="vault_access"),
    path("compare/", vaults.compare, name="vault_compare"),
    path("groups/", vault_groups.groups, name="vault_groups"),
    path("groups/create/", vault_groups.group_create, name="vault_group_create"),
    path("groups/<int:pk>/", vault_groups.group, name="vault_group"),
    path("groups/<int:pk>/visibility/", vault_groups.group_visibility, name="vault_group_visibility"),
    path("groups/<int:pk>/add/", vault_groups.group_add, name="vault_group_add"),
    path("groups/<int:pk>/remove/", vault_groups.group_remove, name="vault_group_remove"),
    path("groups/<int:pk>/forget/", vault_groups.group_forget, name="vault_group_forget"),
    path(
        "groups/<int:pk>/changes/<int:change_pk>/forget/",
        vault_groups.change_forget,
        name="vault_group_change_forget",
    ),
    path("drift/", vaults.drift_reports, name="vault_drift"),
    path("drift/<int:pk>/", vaults.drift_report, name="vault_drift_report"),
    path("drift/<int:pk>/report.csv", vaults.drift_csv, name="vault_drift_csv"),
    path("users/", vault_users.vault_users, name="vault_users"),
    path("users/<int:pk>/disable/", vault_users.vault_user_disable, name="vault_user_disable"),
    path("users/<int:pk>/enable/", vault_users.vault_user_enable, name="vault_user_enable"),
]
"""Pages of one vault that ask or show what its server says."""

urlpatterns = [
    path("licensing/<slug:number>/fragments/", include(_fragments)),
    path("s/<slug:number>/licenses/", include(_pages)),
    path("s/<slug:number>/vaults/create/", vault_changes.vault_create, name="vault_create"),
    path("s/<slug:number>/vaults/<int:pk>/remove/", vault_changes.vault_remove, name="vault_remove"),
    path("s/<slug:number>/vaults/<int:vault_pk>/", include(_vault_pages)),
]
