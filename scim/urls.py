"""Addresses under ``/scim/v2/`` (3-scim §3.1): names in any letter case, slashes too many or too few."""

from typing import Final

from django.urls import re_path

from scim.views import bulk, discovery, resources, search


def _named(name: str) -> str:
    """Return a pattern for ``name`` in any letter case; Django cannot reverse ``(?i:…)``, not even its neighbors."""
    return "".join(f"[{letter.upper()}{letter.lower()}]" for letter in name)


_TENANT: Final = r"^(?P<public_id>[^/]+)/+"
_USERS, _GROUPS = _named("Users"), _named("Groups")
_SEARCH: Final = rf"\.{_named('search')}"

urlpatterns = [
    re_path(rf"{_TENANT}{_USERS}/*$", resources.UsersView.as_view()),
    re_path(rf"{_TENANT}{_GROUPS}/*$", resources.GroupsView.as_view()),
    re_path(rf"{_TENANT}{_named('Bulk')}/*$", bulk.BulkView.as_view()),
    re_path(rf"{_TENANT}{_named('Me')}/*$", discovery.NotOfferedView.as_view()),
    re_path(rf"{_TENANT}{_SEARCH}/*$", search.SearchView.as_view()),
    re_path(rf"{_TENANT}{_USERS}/+{_SEARCH}/*$", search.UserSearchView.as_view()),
    re_path(rf"{_TENANT}{_GROUPS}/+{_SEARCH}/*$", search.GroupSearchView.as_view()),
    re_path(rf"{_TENANT}{_USERS}/+(?P<scim_id>[^/]+)/*$", resources.UserView.as_view()),
    re_path(rf"{_TENANT}{_GROUPS}/+(?P<scim_id>[^/]+)/*$", resources.GroupView.as_view()),
    re_path(rf"{_TENANT}{_named('ServiceProviderConfig')}/*$", discovery.ServiceProviderConfigView.as_view()),
    re_path(rf"{_TENANT}{_named('ResourceTypes')}(?:/+(?P<name>[^/]*))?/*$", discovery.ResourceTypesView.as_view()),
    re_path(rf"{_TENANT}{_named('Schemas')}(?:/+(?P<name>[^/]*))?/*$", discovery.SchemasView.as_view()),
    re_path(r"^(?P<public_id>[^/]+)/*$", search.RootView.as_view()),
    re_path(r"^(?P<public_id>[^/]*)", discovery.UnknownView.as_view()),
]
