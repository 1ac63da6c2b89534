"""Client secrets of a configuration: making one, which is shown once, and ending one (1-product §1.2.5)."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from provisioning.models import ClientSecret, ProvisioningConfiguration
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.secret_forms import NewSecretForm, RotationForm
from provisioning.services import rotation as services
from provisioning.services.configurations import ConfigurationDeleted
from provisioning.services.secrets import matching_secret
from provisioning.sign_in import requires_recent_sign_in
from provisioning.views.common import credentials_file, find_configuration, to_configuration


@requires(Permission.PROVISIONING)
@requires_recent_sign_in
def rotate(request: PortalRequest, pk: int) -> HttpResponse:
    """Ask for how long the old secret and the new one work; a POST makes the new one and shows it, once."""
    found = find_configuration(request, pk)
    old = services.live(found, at=timezone.now())
    form = (RotationForm if old else NewSecretForm)(request.POST if request.method == "POST" else None)
    try:
        if form.is_valid():
            return _rotate(request, found, form)
        form_id = form.cleaned_data.get("form_id") if form.is_bound else None
        services.check_start(found, form_id=form_id, at=timezone.now())
    except (services.AlreadyShown, services.KindHasNone, services.TwoSecrets, ConfigurationDeleted) as error:
        messages.warning(request, str(error))
        return to_configuration(request, found)
    context = {"configuration": found, "form": form, "old": old}
    return render(request, "provisioning/rotation.html", context, status=422 if form.errors else 200)


def _rotate(request: PortalRequest, found: ProvisioningConfiguration, form: NewSecretForm) -> HttpResponse:
    """Raises what ``start_rotation`` raises of what can have happened meanwhile."""
    now = timezone.now()
    client_secret = services.start_rotation(
        configuration=found,
        overlap=form.overlap(),
        lifetime=form.cleaned_data["lifetime"],
        form_id=form.cleaned_data["form_id"],
        actor=request.actor,
        at=now,
    )
    secrets = services.live(found, at=now)
    context: dict[str, Any] = {"configuration": found, "client_secret": client_secret, "secrets": secrets}
    return render(request, "provisioning/credentials.html", context | {"rotation": services.rotation(secrets)})


@requires(Permission.PROVISIONING)
@requires_recent_sign_in
def complete(request: PortalRequest, pk: int) -> HttpResponse:
    """Say what completing the rotation does; a POST does it."""
    found, running = _rotating(request, pk)
    if running is None or request.method != "POST":
        return _confirm(request, found, running, "rotation_complete.html")
    return _do(request, found, services.complete_rotation, "The old client secret of {} is not valid any more.")


@requires(Permission.PROVISIONING)
@requires_recent_sign_in
def cancel(request: PortalRequest, pk: int) -> HttpResponse:
    """Say what cancelling the rotation does; a POST does it."""
    found, running = _rotating(request, pk)
    if running is None or request.method != "POST":
        return _confirm(request, found, running, "rotation_cancel.html")
    return _do(request, found, services.cancel_rotation, "The new client secret of {} is revoked; the old one stays.")


@requires(Permission.PROVISIONING)
@requires_recent_sign_in
def revoke(request: PortalRequest, pk: int) -> HttpResponse:
    """Say what revoking a secret does; a POST does it. ``pk`` is the secret's."""
    secret = ClientSecret.objects.filter(configuration__subscription=request.subscription, pk=pk).first()
    if secret is None:
        raise Http404
    found = find_configuration(request, secret.configuration_id)
    others = [one for one in services.live(found, at=timezone.now()) if one.pk != pk]
    if not secret.is_live(timezone.now()):
        messages.warning(request, str(services.SecretEnded(found)))
        return to_configuration(request, found)
    if request.method == "POST":
        done = "The client secret …{} of {} and all access tokens are revoked."
        return _do(request, found, services.revoke_secret, done.format(secret.last_four, "{}"), secret_id=pk)
    context = {"configuration": found, "secret": secret, "others": others}
    return render(request, "provisioning/secret_revoke.html", context)


@sensitive_post_parameters("client_secret")
@requires(Permission.PROVISIONING)
@require_POST
def download(request: PortalRequest, pk: int) -> HttpResponse:
    """Send back, as a file, the credentials that the page shows; a secret that is none of this configuration is not.

    Recent sign-in is not asked for: that would keep what was posted, the secret, in the session.
    """
    found, now = find_configuration(request, pk), timezone.now()
    given = request.POST.get("client_secret", "")
    secret = matching_secret(client_id=found.client_id, secret=given, at=now)
    if secret is None or secret.configuration_id != found.pk:
        messages.warning(request, "The client secret was already shown, and cannot be downloaded any more.")
        return to_configuration(request, found)
    context = {"configuration": found, "client_secret": given, "secret": secret}
    return credentials_file(request, "credentials.txt", context, found.name)


def _do(request: PortalRequest, found: ProvisioningConfiguration, deed: Any, done: str, **more: int) -> HttpResponse:
    try:
        deed(configuration=found, actor=request.actor, at=timezone.now(), **more)
    except (services.NoRotation, services.SecretEnded, ConfigurationDeleted) as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, done.format(found.name))
    return to_configuration(request, found)


def _confirm(
    request: PortalRequest, found: ProvisioningConfiguration, running: services.Rotation | None, template: str
) -> HttpResponse:
    if running is None:
        messages.warning(request, str(services.NoRotation(found)))
        return to_configuration(request, found)
    return render(request, f"provisioning/{template}", {"configuration": found, "rotation": running})


def _rotating(request: PortalRequest, pk: int) -> tuple[ProvisioningConfiguration, services.Rotation | None]:
    found = find_configuration(request, pk)
    return found, services.rotation(services.live(found, at=timezone.now()))
