from django.urls import URLPattern, include, path

from licensing.views import fragments

_fragments = [
    path("home/", fragments.home, name="licensing_home"),
    path("account/<int:pk>/", fragments.account, name="licensing_account"),
    path("group-license/<int:pk>/", fragments.group_license, name="licensing_group_license"),
]
_pages: list[URLPattern] = []

urlpatterns = [
    path("licensing/<slug:number>/fragments/", include(_fragments)),
    path("s/<slug:number>/licenses/", include(_pages)),
]
