"""Every address of the installation."""

from django.urls import include, path, re_path

from mfmanage import health
from scim.views.openapi import openapi

urlpatterns = [
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
    path("oauth/", include("provisioning.oauth.urls")),
    path("scim/openapi.json", openapi, name="openapi"),
    re_path(r"^scim/v2/+", include("scim.urls")),
    path("account/", include("provisioning.sign_in_urls")),
    path("", include("licensing.urls")),
    path("", include("provisioning.urls")),
]
