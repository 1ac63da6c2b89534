"""What changes much of a configuration at once: its default license type, disconnecting, deleting, and undoing that."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from provisioning.addresses import address
from provisioning.configuration_forms import DefaultLicenseForm
from provisioning.confirming import TypedNameForm
from provisioning.license_types import LicenseType
from provisioning.models import ProvisioningConfiguration
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.services import configurations as services
from provisioning.services import deletion
from provisioning.services.configurations import ConfigurationDeleted
from provisioning.sign_in import requires_recent_sign_in
from provisioning.views.common import SeeOther


@requires(Permission.PROVISIONING)
def default_license(request: PortalRequest, pk: int) -> HttpResponse:
    """Say what another default license type will do; a POST does it."""
    found = _live(request, pk)
    form = DefaultLicenseForm(request.POST if request.method == "POST" else request.GET)
    if form.is_valid() and request.method == "POST":
        return _set_default(request, found, form.cleaned_data["license_type"])
    context = {"configuration": found, "form": form, "license_type": form.cleaned_data.get("license_type")}
    return render(request, "provisioning/configuration_license.html", context, status=422 if form.errors else 200)


@requires(Permission.PROVISIONING)
def delete(request: PortalRequest, pk: int) -> HttpResponse:
    """Say what goes and what stays; a POST with the configuration's name deletes it."""
    found = _found(request, pk)
    if found.deleted_at is not None:
        messages.warning(request, f"{found.name} is deleted already.")
        return SeeOther(address(request.subscription, "configurations"))
    form = TypedNameForm(request.POST or None, expected=found.name, what="configuration")
    if request.method == "POST" and form.is_valid():
        return _delete(request, found)
    context = {"configuration": found, "form": form, "extent": deletion.extent(found)}
    return render(request, "provisioning/configuration_delete.html", context, status=422 if form.errors else 200)


@requires(Permission.PROVISIONING)
@requires_recent_sign_in
def disconnect(request: PortalRequest, pk: int) -> HttpResponse:
    """Say what is revoked and what stays; a POST does it."""
    found = _live(request, pk)
    if request.method != "POST":
        return render(request, "provisioning/configuration_disconnect.html", {"configuration": found})
    try:
        services.disconnect_configuration(configuration=found, actor=request.actor, at=timezone.now())
    except ConfigurationDeleted as error:
        messages.error(request, str(error))
        return SeeOther(address(request.subscription, "configurations"))
    messages.success(
        request,
        f"{found.name} is disconnected: no old secret or token opens anything any more. "
        "A new client secret, or an issuer, connects it again.",
    )
    return SeeOther(address(request.subscription, "configuration", pk=pk))


@requires(Permission.PROVISIONING)
@require_POST
def restore(request: PortalRequest, pk: int) -> HttpResponse:
    """Undo a deletion."""
    found = _found(request, pk)
    try:
        deletion.restore_configuration(configuration=found, actor=request.actor, at=timezone.now())
    except (deletion.NotDeleted, deletion.DeletionFinal) as error:
        messages.error(request, str(error))
        return SeeOther(address(request.subscription, "configurations"))
    messages.success(
        request,
        f"{found.name} is back with its users, user groups and links. Its old client secrets stay revoked: "
        "the identity provider needs a new one.",
    )
    return SeeOther(address(request.subscription, "configuration", pk=pk))


def _set_default(request: PortalRequest, found: ProvisioningConfiguration, license_type: LicenseType) -> HttpResponse:
    try:
        services.set_default_license(
            configuration=found, license_type=license_type, actor=request.actor, at=timezone.now()
        )
    except ConfigurationDeleted as error:
        messages.error(request, str(error))
        return SeeOther(address(request.subscription, "configurations"))
    messages.success(
        request, f"The default license type of {found.name} is {license_type.label}. Workers look at each user."
    )
    return SeeOther(address(request.subscription, "configuration", pk=found.pk))


def _delete(request: PortalRequest, found: ProvisioningConfiguration) -> HttpResponse:
    try:
        deletion.delete_configuration(configuration=found, actor=request.actor, at=timezone.now())
    except ConfigurationDeleted as error:
        messages.warning(request, str(error))
    else:
        messages.success(
            request,
            f"{found.name} is deleted, and no old secret or token opens anything any more. "
            "For 24 hours this can be undone here.",
        )
    return SeeOther(address(request.subscription, "configurations"))


def _found(request: PortalRequest, pk: int) -> ProvisioningConfiguration:
    """Return the configuration, deleted or not."""
    found = ProvisioningConfiguration.objects.filter(subscription=request.subscription, pk=pk).first()
    if found is None:
        raise Http404
    return found


def _live(request: PortalRequest, pk: int) -> ProvisioningConfiguration:
    found = _found(request, pk)
    if found.deleted_at is not None:
        raise Http404
    return found
