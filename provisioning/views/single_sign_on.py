"""Settings > Single sign-on: the identity provider by which people of the subscription sign in."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from provisioning.addresses import address
from provisioning.models import SignOnIdentity, SingleSignOn
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.services import provider_check
from provisioning.services import single_sign_on as services
from provisioning.sign_in import requires_recent_sign_in, signed_in_recently
from provisioning.single_sign_on_forms import SingleSignOnForm
from provisioning.views.common import SeeOther

_SHOWN = 200
_AGAIN = "Nothing was saved: you proved who you are too long ago. Do it again now, then enter the values once more."


@sensitive_post_parameters("client_secret")
@requires(Permission.CHANGE_SETTINGS)
def single_sign_on(request: PortalRequest) -> HttpResponseBase:
    """Show the identity provider; a POST tries it, or sets it.

    What is posted holds a secret, and must not be kept in the session while the person proves again who they are.
    """
    if request.method == "POST" and not signed_in_recently(request, now=timezone.now()):
        messages.warning(request, _AGAIN)
        return _page(request)
    return _shown(request)


@requires_recent_sign_in
def _shown(request: PortalRequest) -> HttpResponse:
    row = SingleSignOn.objects.filter(subscription=request.subscription).first()
    names = ("issuer", "client_id", "is_enabled", "admits_manual_accounts")
    initial = {name: getattr(row, name) for name in names} if row else {"is_enabled": True}
    form = SingleSignOnForm(request.POST or None, initial=initial, has_secret=row is not None)
    findings = list[provider_check.Finding]()
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("deed") != "test":
                return _set(request, form)
            findings = provider_check.check(request.subscription, row, form.wanted())
        except services.BadSingleSignOn as error:
            form.add_error(error.field, str(error))
    context: dict[str, Any] = {"row": row, "form": form, "findings": findings, "identities": _identities(row)}
    context |= {
        "redirect_uri": services.redirect_uri(request.subscription),
        "sign_in_address": services.sign_in_address(request.subscription),
    }
    return render(request, "provisioning/single_sign_on.html", context, status=422 if form.errors else 200)


@requires(Permission.CHANGE_SETTINGS)
@requires_recent_sign_in
def remove(request: PortalRequest) -> HttpResponse:
    """Say what removing does; a POST does it."""
    row = SingleSignOn.objects.filter(subscription=request.subscription).first()
    if row is None:
        return _page(request)
    if request.method != "POST":
        context = {"row": row, "known": row.identities.count()}
        return render(request, "provisioning/single_sign_on_remove.html", context)
    try:
        services.remove_single_sign_on(subscription=request.subscription, actor=request.actor, at=timezone.now())
    except services.NoSingleSignOn:
        messages.warning(request, "Single sign-on is removed already.")
    else:
        messages.success(request, "Single sign-on is removed. Nobody is signed in by it any more.")
    return SeeOther(address(request.subscription, "settings"))


@requires(Permission.CHANGE_SETTINGS)
@requires_recent_sign_in
@require_POST
def forget(request: PortalRequest, pk: int) -> HttpResponse:
    """Forget who an account is at the identity provider."""
    rows = SignOnIdentity.objects.filter(single_sign_on__subscription=request.subscription)
    identity = rows.select_related("account").filter(pk=pk).first()
    if identity is None:
        raise Http404
    try:
        services.forget_identity(identity=identity, actor=request.actor, at=timezone.now())
    except services.IdentityGone as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, f"The next who signs in as {identity.account.username} is that person from then on.")
    return _page(request)


def _set(request: PortalRequest, form: SingleSignOnForm) -> HttpResponse:
    """Raises ``BadSingleSignOn``."""
    changed = services.set_single_sign_on(
        subscription=request.subscription, wanted=form.wanted(), actor=request.actor, at=timezone.now()
    )
    messages.success(request, "Single sign-on is saved." if changed else "Nothing was changed.")
    return _page(request)


def _identities(row: SingleSignOn | None) -> list[SignOnIdentity]:
    if row is None:
        return []
    return list(row.identities.select_related("account").order_by("account__username_key")[:_SHOWN])


def _page(request: PortalRequest) -> HttpResponse:
    return SeeOther(address(request.subscription, "single_sign_on"))
