"""The portal's addresses; every page of a subscription has the subscription's number in front."""

from django.urls import URLPattern, URLResolver, include, path

from provisioning.views import (
    configuration_changes,
    configurations,
    frame,
    groups,
    held,
    home,
    links,
    logs,
    people,
    settings,
    user_imports,
    users,
    vaults,
)

_provisioning: list[URLPattern | URLResolver] = [
    path("configurations/", configurations.configurations, name="configurations"),
    path("configurations/create/", configurations.configuration_create, name="configuration_create"),
    path("configurations/<int:pk>/", configurations.configuration, name="configuration"),
    path("configurations/<int:pk>/progress/", configurations.configuration_progress, name="configuration_progress"),
    path("configurations/<int:pk>/settings/", configurations.configuration_settings, name="configuration_settings"),
    path("configurations/<int:pk>/pause/", configurations.configuration_pause, name="configuration_pause"),
    path("configurations/<int:pk>/resume/", configurations.configuration_resume, name="configuration_resume"),
    path("configurations/<int:pk>/license/", configuration_changes.default_license, name="configuration_license"),
    path("configurations/<int:pk>/delete/", configuration_changes.delete, name="configuration_delete"),
    path("configurations/<int:pk>/restore/", configuration_changes.restore, name="configuration_restore"),
    path("groups/", groups.groups, name="groups"),
    path("groups/<int:pk>/", groups.group, name="group"),
    path("groups/<int:pk>/license/", groups.group_license, name="group_license"),
    path("links/", links.links, name="links"),
    path("links/create/", links.link_create, name="link_create"),
    path("log/", logs.log, name="log"),
    path("log/<int:pk>/", logs.log_entry, name="log_entry"),
    path("log/calls.csv", logs.log_csv, name="log_csv"),
    path("log/calls.json", logs.log_json, name="log_json"),
    path("held/", held.held, name="held"),
    path("held/decide/", held.held_decide, name="held_decide"),
]
_subscription: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("users/", users.users, name="users"),
    path("users/<int:pk>/", users.user, name="user"),
    path("users/create/", people.user_create, name="user_create"),
    path("users/<int:pk>/edit/", people.user_edit, name="user_edit"),
    path("users/<int:pk>/disable/", people.user_disable, name="user_disable"),
    path("users/<int:pk>/enable/", people.user_enable, name="user_enable"),
    path("users/<int:pk>/delete/", people.user_delete, name="user_delete"),
    path("users/users.csv", user_imports.users_csv, name="users_csv"),
    path("users/import/", user_imports.users_import, name="users_import"),
    path("users/import/<int:pk>/", user_imports.user_import, name="user_import"),
    path("users/import/<int:pk>/confirm/", user_imports.user_import_confirm, name="user_import_confirm"),
    path("vaults/", vaults.vaults, name="vaults"),
    path("provisioning/", include(_provisioning)),
    path("audit/", logs.audit, name="audit"),
    path("settings/", settings.settings, name="settings"),
    path("settings/notifications/", settings.notifications, name="notifications"),
]
urlpatterns = [
    path("", frame.start, name="start"),
    path("theme/", frame.theme, name="theme"),
    path("s/<slug:number>/", include(_subscription)),
]
