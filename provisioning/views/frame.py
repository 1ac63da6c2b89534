"""What stands around the pages: where a person arrives, and the theme."""

from typing import Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from provisioning.addresses import address
from provisioning.permissions import PortalRequest, roles_in
from provisioning.services.sign_ins import NoRole
from provisioning.sign_in import signed_in

_YEAR: Final = 365 * 24 * 60 * 60
THEMES: Final = ("light", "dark", "system")


@signed_in
def start(request: PortalRequest) -> HttpResponse:
    """Go to Home of the first subscription that the person may enter; who may enter none is signed out."""
    account = roles_in(request).order_by("-role", "subscription__name").first()
    if account is None:
        logout(request)
        messages.error(request, str(NoRole()))
        return redirect("account_login")
    return redirect(address(account.subscription, "home"))


@login_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember the theme in a cookie, and go back to where the person was."""
    wanted, back = request.POST.get("theme", ""), request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = HttpResponseRedirect(back if safe else reverse("start"))
    if wanted in THEMES:
        response.set_cookie(
            settings.THEME_COOKIE_NAME,
            wanted,
            max_age=_YEAR,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response
