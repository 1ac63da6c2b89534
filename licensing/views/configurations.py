"""Pieces of the pages of a configuration: what another default license type, or its deletion, would do."""

from functools import partial

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from licensing.services import previews
from licensing.views.previewing import look
from provisioning.license_types import LicenseType
from provisioning.models import ProvisioningConfiguration
from provisioning.permissions import Permission, PortalRequest, requires


@requires(Permission.PROVISIONING)
def default_license(request: PortalRequest, pk: int) -> HttpResponse:
    """Show who gains, loses and waits when the configuration's default becomes the license type of the query."""
    word = request.GET.get("license_type", "")
    if word not in {str(int(one)) for one in LicenseType}:
        raise Http404
    license_type, found = LicenseType(int(word)), _found(request, pk)
    preview = partial(previews.default_license, configuration=found, license_type=license_type, at=timezone.now())
    return render(request, "licensing/_preview.html", look(request, preview))


@requires(Permission.PROVISIONING)
def deletion(request: PortalRequest, pk: int) -> HttpResponse:
    """Show who loses and who gains a license when the configuration is deleted."""
    preview = partial(previews.configuration_deletion, configuration=_found(request, pk), at=timezone.now())
    return render(request, "licensing/_preview.html", look(request, preview))


def _found(request: PortalRequest, pk: int) -> ProvisioningConfiguration:
    rows = ProvisioningConfiguration.objects.filter(subscription=request.subscription, deleted_at=None)
    found = rows.select_related("subscription").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
