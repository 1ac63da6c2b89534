"""Whose signed tokens open a configuration: changing that, and ending it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from provisioning.configuration_forms import IssuerForm, TenantForm
from provisioning.models import ProvisioningConfiguration
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.services import trusted_issuers as services
from provisioning.services.configurations import ConfigurationDeleted
from provisioning.sign_in import requires_recent_sign_in
from provisioning.views.common import find_configuration, to_configuration

_CLASSIC = ProvisioningConfiguration.Kind.CLASSIC


@requires(Permission.PROVISIONING)
@requires_recent_sign_in
def change(request: PortalRequest, pk: int) -> HttpResponse:
    """Ask whose tokens to trust; a POST does so."""
    found = find_configuration(request, pk)
    initial = {"issuer": found.issuer, "subject": found.subject, "audience": found.audience}
    if found.kind == _CLASSIC:
        initial["issuer"] = found.directory
    form = (TenantForm if found.kind == _CLASSIC else IssuerForm)(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        return _change(request, found, form)
    context = {"configuration": found, "form": form}
    return render(request, "provisioning/trusted_issuer.html", context, status=422 if form.errors else 200)


@requires(Permission.PROVISIONING)
@requires_recent_sign_in
def end(request: PortalRequest, pk: int) -> HttpResponse:
    """Say what ending the trust does; a POST does it."""
    found = find_configuration(request, pk)
    if request.method == "POST":
        try:
            services.distrust_issuer(configuration=found, actor=request.actor, at=timezone.now())
        except ConfigurationDeleted as error:
            messages.warning(request, str(error))
        else:
            messages.success(request, f"{found.name} trusts the tokens of no issuer any more.")
        return to_configuration(request, found)
    return render(request, "provisioning/trusted_issuer_end.html", {"configuration": found})


def _change(request: PortalRequest, found: ProvisioningConfiguration, form: TenantForm) -> HttpResponse:
    given = {name: form.cleaned_data[name] for name in ("issuer", "subject", "audience")}
    try:
        services.trust_issuer(configuration=found, **given, actor=request.actor, at=timezone.now())
    except services.REFUSALS as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, f"{found.name} trusts the tokens of that issuer from now on.")
    return to_configuration(request, found)
