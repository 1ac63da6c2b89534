"""Every address of the installation."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path, re_path

from mfmanage import health, security_txt
from scim.views.openapi import openapi

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
    path("oauth/", include("provisioning.oauth.urls")),
    path("scim/openapi.json", openapi, name="openapi"),
    re_path(r"^scim/v2/+", include("scim.urls")),
    path("account/", include("provisioning.sign_in_urls")),
    path("", include("licensing.urls")),
    path("", include("provisioning.urls")),
]
if settings.SECURITY_CONTACT:
    urlpatterns.append(path(".well-known/security.txt", security_txt.security_txt, name="security_txt"))
