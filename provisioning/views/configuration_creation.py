"""Creating a configuration of some kind, which shows its secret once."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from provisioning.addresses import address
from provisioning.configuration_forms import FORMS, NewConfigurationForm
from provisioning.models import ClientSecret, ProvisioningConfiguration
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.services import configurations as services
from provisioning.services import rotation
from provisioning.sign_in import requires_recent_sign_in
from provisioning.views.common import SeeOther

_Kind = ProvisioningConfiguration.Kind
_IMPOSSIBLE = (services.EditionNotSupported, services.UserSynchronizationOn)


@requires(Permission.PROVISIONING)
@requires_recent_sign_in
def configuration_create(request: PortalRequest) -> HttpResponse:
    """Ask for what the kind of configuration needs; a POST creates it and shows its credentials, once."""
    if request.method == "POST":
        return _create(request, _form_class(request.POST.get("kind", ""))(request.POST))
    return _ask(request, _form_class(request.GET.get("kind", ""))())


def _form_class(kind: str) -> type[NewConfigurationForm]:
    return FORMS.get(kind, FORMS[_Kind.GALLERY])


def _ask(request: PortalRequest, form: NewConfigurationForm) -> HttpResponse:
    """Show the form, or why the subscription can have no configuration."""
    refusal = ""
    try:
        services.check_provisioning_allowed(request.subscription)
    except _IMPOSSIBLE as error:
        refusal = str(error)
    context = {"form": form, "refusal": refusal, "kinds": _Kind}
    return render(request, "provisioning/configuration_create.html", context, status=422 if form.errors else 200)


def _create(request: PortalRequest, form: NewConfigurationForm) -> HttpResponse:
    if not form.is_valid():
        return _ask(request, form)
    form_id: UUID = form.cleaned_data["form_id"]
    if shown := _created_by(request, form_id):
        return _already_shown(request, shown)
    try:
        return _show(request, _create_by(request, form, form_id))
    except services.ConfigurationNameTaken as error:
        if shown := _created_by(request, form_id):
            return _already_shown(request, shown)
        form.add_error("name", str(error))
    except services.ClassicInTheWay as error:
        form.add_error(None, str(error))
    except _IMPOSSIBLE:
        return _ask(request, form)
    return _ask(request, form)


def _create_by(request: PortalRequest, form: NewConfigurationForm, form_id: UUID) -> services.Credentials:
    return services.create_configuration(
        subscription=request.subscription,
        name=form.cleaned_data["name"],
        kind=form.kind,
        default_license_type=form.cleaned_data["default_license_type"],
        trusted=form.trusted(),
        secret_lifetime=form.secret_lifetime(),
        form_id=form_id,
        actor=request.actor,
        at=timezone.now(),
    )


def _show(request: PortalRequest, credentials: services.Credentials) -> HttpResponse:
    """Show the credentials; a classic configuration has none but its Tenant URL, which its page shows ever after."""
    found = credentials.configuration
    if not credentials.client_secret:
        messages.success(request, f"{found.name} is there. Copy its Tenant URL into the application in Entra.")
        return SeeOther(address(request.subscription, "configuration", pk=found.pk))
    secrets = rotation.live(found, at=timezone.now())
    context = {"configuration": found, "client_secret": credentials.client_secret, "secrets": secrets}
    return render(request, "provisioning/credentials.html", context)


def _created_by(request: PortalRequest, form_id: UUID) -> int | None:
    """Return the configuration that this form has made already."""
    rows = ClientSecret.objects.filter(form_id=form_id, configuration__subscription=request.subscription)
    return rows.values_list("configuration_id", flat=True).first()


def _already_shown(request: PortalRequest, pk: int) -> HttpResponse:
    messages.warning(
        request,
        "The client secret was already shown, when this configuration was created. It cannot be shown again: "
        "if you have not stored it, replace it with a new one.",
    )
    return SeeOther(address(request.subscription, "configuration", pk=pk))
