from django.urls import URLPattern, include, path

from licensing.views import accounts, configurations, fragments, imports, licenses

_fragments = [
    path("home/", fragments.home, name="licensing_home"),
    path("account/<int:pk>/", accounts.account, name="licensing_account"),
    path("timeline/<int:pk>/", accounts.timeline, name="licensing_timeline"),
    path("group-license/<int:pk>/", fragments.group_license, name="licensing_group_license"),
    path("configuration-license/<int:pk>/", configurations.default_license, name="licensing_configuration_license"),
    path("configuration-deletion/<int:pk>/", configurations.deletion, name="licensing_configuration_deletion"),
    path("user-import/<int:pk>/", imports.user_import, name="licensing_user_import"),
]
_pages = [
    path("pins/", accounts.pins, name="license_pins"),
    path("accounts/<int:pk>/resync/", accounts.resync, name="license_resync"),
    path("accounts/<int:pk>/type/", accounts.manual_type, name="license_manual_type"),
    path("", licenses.licenses, name="licenses"),
    path("order/", licenses.order, name="license_order"),
    path("order/preview/", licenses.order_preview, name="license_order_preview"),
    path("history.csv", licenses.history_csv, name="license_history_csv"),
    path("queue.csv", licenses.queue_csv, name="license_queue_csv"),
]
_vault_pages: list[URLPattern] = []
"""Pages of one vault that ask or show what its server says."""

urlpatterns = [
    path("licensing/<slug:number>/fragments/", include(_fragments)),
    path("s/<slug:number>/licenses/", include(_pages)),
    path("s/<slug:number>/vaults/<int:vault_pk>/", include(_vault_pages)),
]
