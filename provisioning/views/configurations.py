"""Provisioning configurations: their list and their pages."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from provisioning.addresses import address
from provisioning.configuration_forms import DefaultLicenseForm
from provisioning.forms import TOKEN_LIFETIMES, ConfigurationSettingsForm
from provisioning.models import LoginAccount, ProvisioningConfiguration
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.queries import configurations as queries
from provisioning.queries.health import health, newest_failures
from provisioning.queries.progress import progress
from provisioning.services import bearer_tokens, rotation
from provisioning.services import configurations as services
from provisioning.services.assertions import trust_of
from provisioning.services.deletion import UNDO
from provisioning.services.people import may_touch
from provisioning.views.common import SeeOther, find_configuration

_NEW = timedelta(days=1)
"""For so long after the last of its first steps a configuration's page shows them."""
_Kind = ProvisioningConfiguration.Kind


@requires(Permission.PROVISIONING)
def configurations(request: PortalRequest) -> HttpResponse:
    now = timezone.now()
    synchronizing = queries.synchronizing_vaults(request.subscription)
    found = queries.configurations(request.subscription, now=now)
    rows = [(row, health(row, synchronizing, now=now)) for row in found]
    deleted = [(row, row.deleted_at + UNDO) for row in queries.deleted(request.subscription, now=now) if row.deleted_at]
    return render(request, "provisioning/configurations.html", {"rows": rows, "deleted": deleted, "kinds": _Kind})


@requires(Permission.PROVISIONING)
def configuration(request: PortalRequest, pk: int) -> HttpResponse:
    return render(request, "provisioning/configuration.html", _page(find_configuration(request, pk)))


@requires(Permission.PROVISIONING)
def configuration_progress(request: PortalRequest, pk: int) -> HttpResponse:
    """Return the part with the first steps, or nothing when the page that asks knows it already."""
    found = find_configuration(request, pk)
    steps = progress(found)
    if request.GET.get("state") == steps.state:
        return HttpResponse(status=204)
    return render(request, "provisioning/_progress.html", {"configuration": found, "progress": steps})


@requires(Permission.PROVISIONING)
def configuration_settings(request: PortalRequest, pk: int) -> HttpResponse:
    """Ask how the configuration answers; a POST changes it."""
    found = find_configuration(request, pk)
    form = ConfigurationSettingsForm(
        request.POST or None,
        initial=services.settings_of(found)._asdict(),
        may_adopt=may_touch(request.actor, LoginAccount.Role.SUBSCRIPTION_ADMIN),
    )
    if request.method == "POST" and form.is_valid() and _change_settings(request, found, form):
        messages.success(request, f"The settings of {found.name} are saved. They hold from the next call on.")
        return SeeOther(address(request.subscription, "configuration", pk=pk))
    license_form = DefaultLicenseForm(initial={"license_type": found.default_license_type})
    context = {"configuration": found, "form": form, "license_form": license_form}
    return render(request, "provisioning/configuration_settings.html", context, status=422 if form.errors else 200)


def _change_settings(request: PortalRequest, found: ProvisioningConfiguration, form: ConfigurationSettingsForm) -> bool:
    """Save the settings, or say in the form why not."""
    settings = services.Settings(**form.cleaned_data)
    try:
        services.change_settings(configuration=found, settings=settings, actor=request.actor, at=timezone.now())
    except services.AdoptionOutOfReach as error:
        form.refuse_adoption(str(error))
        return False
    return True


@requires(Permission.PROVISIONING)
@require_POST
def configuration_pause(request: PortalRequest, pk: int) -> HttpResponse:
    found = find_configuration(request, pk)
    try:
        services.pause_configuration(configuration=found, actor=request.actor, at=timezone.now())
    except services.ConfigurationDeleted as error:
        messages.error(request, str(error))
        return SeeOther(address(request.subscription, "configurations"))
    messages.success(request, f"{found.name} is paused. The identity provider is refused until you resume it.")
    return SeeOther(address(request.subscription, "configuration", pk=pk))


@requires(Permission.PROVISIONING)
@require_POST
def configuration_resume(request: PortalRequest, pk: int) -> HttpResponse:
    found = find_configuration(request, pk)
    try:
        services.resume_configuration(configuration=found, actor=request.actor, at=timezone.now())
    except services.ConfigurationDeleted as error:
        messages.error(request, str(error))
        return SeeOther(address(request.subscription, "configurations"))
    messages.success(request, f"{found.name} works again. The identity provider may call at any moment.")
    return SeeOther(address(request.subscription, "configuration", pk=pk))


def _page(found: ProvisioningConfiguration) -> dict[str, Any]:
    now, synchronizing = timezone.now(), queries.synchronizing_vaults(found.subscription)
    steps, fares = progress(found), health(found, synchronizing, now=now)
    told = {step.problem for step in steps.steps}
    secrets = rotation.live(found, at=now)
    return {
        "configuration": found,
        "health": fares,
        "problems": [problem for problem in fares.problems if problem not in told],
        "failures": newest_failures(found),
        "progress": steps,
        "is_beginning": not steps.is_complete or now - max(step.at or found.created_at for step in steps.steps) < _NEW,
        "settings": services.settings_of(found),
        "token_lifetime": dict(TOKEN_LIFETIMES)[found.token_lifetime],
        "secrets": secrets,
        "rotation": rotation.rotation(secrets),
        "trust": trust_of(found),
        "bearer_tokens": bearer_tokens.live(found, at=now) if found.kind == _Kind.OTHER else [],
    }
