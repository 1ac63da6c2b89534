"""Bearer tokens of a configuration: making one, which is shown once, and revoking one."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from provisioning.configuration_forms import BearerTokenForm
from provisioning.models import BearerToken, ProvisioningConfiguration
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.services import bearer_tokens as services
from provisioning.sign_in import requires_recent_sign_in
from provisioning.views.common import credentials_file, find_configuration, to_configuration


@requires(Permission.PROVISIONING)
@requires_recent_sign_in
def create(request: PortalRequest, pk: int) -> HttpResponse:
    """Ask for how long a new token works; a POST makes it and shows it, once."""
    found, now = find_configuration(request, pk), timezone.now()
    form = BearerTokenForm(request.POST if request.method == "POST" else None)
    try:
        if form.is_valid():
            return _create(request, found, form)
        services.check_create(found, form_id=None, at=now)
    except services.REFUSALS as error:
        messages.warning(request, str(error))
        return to_configuration(request, found)
    context = {"configuration": found, "form": form}
    return render(request, "provisioning/bearer_token_create.html", context, status=422 if form.errors else 200)


@requires(Permission.PROVISIONING)
@requires_recent_sign_in
def revoke(request: PortalRequest, pk: int) -> HttpResponse:
    """Say what revoking a token does; a POST does it. ``pk`` is the token's."""
    token = BearerToken.objects.filter(configuration__subscription=request.subscription, pk=pk).first()
    if token is None:
        raise Http404
    found, now = find_configuration(request, token.configuration_id), timezone.now()
    others = [one for one in services.live(found, at=now) if one.pk != pk]
    if request.method != "POST" and token.state(now) == BearerToken.State.LIVE:
        context = {"configuration": found, "token": token, "others": others}
        return render(request, "provisioning/bearer_token_revoke.html", context)
    try:
        services.revoke_token(configuration=found, token_id=pk, actor=request.actor, at=now)
    except services.REFUSALS as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, f"The bearer token …{token.last_four} of {found.name} is revoked.")
    return to_configuration(request, found)


@sensitive_post_parameters("bearer_token")
@requires(Permission.PROVISIONING)
@require_POST
def download(request: PortalRequest, pk: int) -> HttpResponse:
    """Send back, as a file, the token that the page shows; what is none of this configuration is not.

    Recent sign-in is not asked for: that would keep what was posted, the token, in the session.
    """
    found, given = find_configuration(request, pk), request.POST.get("bearer_token", "")
    token = services.matching_token(configuration=found, token=given, at=timezone.now())
    if token is None:
        messages.warning(request, "The bearer token was already shown, and cannot be downloaded any more.")
        return to_configuration(request, found)
    context = {"configuration": found, "bearer_token": given, "token": token}
    return credentials_file(request, "bearer_token.txt", context, found.name)


def _create(request: PortalRequest, found: ProvisioningConfiguration, form: BearerTokenForm) -> HttpResponse:
    """Raises what ``create_token`` raises."""
    now = timezone.now()
    lifetime, form_id = form.cleaned_data["lifetime"], form.cleaned_data["form_id"]
    made = services.create_token(configuration=found, lifetime=lifetime, form_id=form_id, actor=request.actor, at=now)
    context = {"configuration": found, "bearer_token": made, "expires_at": now + lifetime}
    return render(request, "provisioning/bearer_token.html", context)
