"""Settings: what holds for the whole subscription, and what a person gets mail about."""

from django.conf import settings as installation
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from provisioning.addresses import address
from provisioning.models import Notification, SingleSignOn
from provisioning.permissions import Permission, PortalRequest, requires, roles_of
from provisioning.services.notifications import choices, choose
from provisioning.services.policies import set_policies
from provisioning.settings_forms import POLICY_FIELDS, NotificationsForm, PoliciesForm
from provisioning.views.common import SeeOther

_OFF = "django.core.mail.backends.dummy.EmailBackend"
"""How mail goes when the operator has named no way for it."""


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
    sign_on = SingleSignOn.objects.filter(subscription=request.subscription).first()
    context = {"form": form, "single_sign_on": sign_on}
    return render(request, "provisioning/settings.html", context, status=422 if form.errors else 200)


@requires(Permission.SEE_LICENSES)
def notifications(request: PortalRequest) -> HttpResponse:
    """Show what runs, and what the person gets mail about; a POST changes that for this person alone."""
    person, subscription = request.user, request.subscription
    # Nothing ticked is a choice, too.
    given = request.POST if request.method == "POST" else None
    offered = choices(user=person, subscription=subscription)
    form = NotificationsForm(given, initial=offered)
    if form.is_valid():
        choose(user=person, subscription=subscription, wanted=form.wanted(), actor=request.actor, at=timezone.now())
        messages.success(request, "Your choice is saved.")
        return SeeOther(address(subscription, "notifications"))
    accounts = roles_of(person).filter(subscription=subscription).exclude(email="")
    running = Notification.objects.filter(subscription=subscription, ended_at=None, kind__in=offered)
    context = {
        "form": form,
        "addresses": sorted(set(accounts.values_list("email", flat=True))),
        "running": running.order_by("-since", "-pk"),
        "is_off": installation.EMAIL_BACKEND == _OFF,
    }
    return render(request, "provisioning/notifications.html", context)
