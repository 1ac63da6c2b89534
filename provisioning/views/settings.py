"""Settings: what holds for the whole subscription."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from provisioning.addresses import address
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.services.policies import set_policies
from provisioning.settings_forms import POLICY_FIELDS, PoliciesForm
from provisioning.views.common import SeeOther


@requires(Permission.CHANGE_SETTINGS)
def settings(request: PortalRequest) -> HttpResponse:
    """Show contacts, license policies and protection limits; a POST changes them."""
    now = {field: getattr(request.subscription, field) for field in POLICY_FIELDS}
    form = PoliciesForm(request.POST or None, initial=now)
    if request.method == "POST" and form.is_valid():
        changed = set_policies(
            subscription=request.subscription, actor=request.actor, at=timezone.now(), **form.cleaned_data
        )
        messages.success(request, "The settings are saved." if changed else "Nothing was changed.")
        return SeeOther(address(request.subscription, "settings"))
    return render(request, "provisioning/settings.html", {"form": form}, status=422 if form.errors else 200)
