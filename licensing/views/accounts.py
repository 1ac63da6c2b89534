"""Licenses of accounts: pinning a type to one or many, the type of manual ones, and looking at one again."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from licensing.choosing import Chosen, ManualTypeForm, NobodyChosen, PinForm, choose, refuse_removed
from licensing.models import LicenseGrant
from licensing.services import choices, previews, reasons
from licensing.services import timeline as way
from licensing.services.choices import AccountProvisioned, AccountRemoved
from licensing.views.previewing import look
from provisioning.addresses import address
from provisioning.license_types import LicenseType
from provisioning.models import LoginAccount
from provisioning.permissions import ROLES, Permission, PortalRequest, requires
from provisioning.queries import accounts
from provisioning.queries.account_pages import TooManyFound
from provisioning.views.common import SeeOther


@requires(Permission.CHANGE_USERS)
def pins(request: PortalRequest) -> HttpResponseBase:
    """Show what pinning a license type to the chosen accounts will do; a POST does it."""
    try:
        chosen = choose(request.subscription, request.POST if request.method == "POST" else request.GET)
    except (NobodyChosen, TooManyFound) as problem:
        return render(request, "licensing/pins.html", {"problem": str(problem)})
    if request.method == "POST":
        return _pin(request, chosen)
    return render(request, "licensing/pins.html", _question(request, chosen))


def _question(request: PortalRequest, chosen: Chosen) -> dict[str, Any]:
    """Return what the page shows: who is meant, and once a type is chosen, what it will do or why it cannot be."""
    form = PinForm(request.GET if "license_type" in request.GET else None)
    single = accounts.find(request.subscription, chosen.ids[0]) if len(chosen.ids) == 1 else None
    context = {"form": form, "selection": chosen, "number": len(chosen.ids), "account": single}
    if not form.is_valid():
        return context
    license_type = form.license_type_of()
    try:
        if license_type is not None:
            refuse_removed(chosen.ids)
    except AccountRemoved as problem:
        return {**context, "problem": str(problem)}
    preview = partial(
        previews.pins,
        subscription=request.subscription,
        account_ids=chosen.ids,
        license_type=license_type,
        at=timezone.now(),
    )
    label = "No pin" if license_type is None else license_type.label
    return {**context, "label": label, "word": form.cleaned_data["license_type"], **look(request, preview)}


def _pin(request: PortalRequest, chosen: Chosen) -> HttpResponse:
    """Pin the type if the accounts still are those that the preview was about."""
    form = PinForm(request.POST)
    again = f"{address(request.subscription, 'license_pins')}?{urlencode([*chosen.parameters, *_typed(request)])}"
    if not form.is_valid():
        return SeeOther(again)
    if request.POST.get("digest") != chosen.digest:
        messages.warning(request, "Other users fit the filter now than when this was previewed. Look at it again.")
        return SeeOther(again)
    try:
        changed = choices.pin(
            subscription=request.subscription,
            account_ids=chosen.ids,
            license_type=form.license_type_of(),
            actor=request.actor,
            at=timezone.now(),
        )
    except AccountRemoved as problem:
        messages.error(request, str(problem))
        return SeeOther(again)
    messages.success(request, _done(changed))
    return SeeOther(_back(request, chosen))


def _typed(request: PortalRequest) -> list[tuple[str, str]]:
    return [("license_type", request.POST.get("license_type", ""))]


def _done(changed: int) -> str:
    if not changed:
        return "Nothing was to be changed: all of them had that pin."
    who = "1 user is" if changed == 1 else f"{changed:,} users is"
    return f"The pin of {who} changed. Workers look at each of them."


def _back(request: PortalRequest, chosen: Chosen) -> str:
    if len(chosen.ids) == 1:
        return address(request.subscription, "user", pk=chosen.ids[0])
    kept = [(name, value) for name, value in chosen.parameters if name not in {"all", "row"}]
    query = f"?{urlencode(kept)}" if kept else ""
    return address(request.subscription, "users") + query


@requires(Permission.CHANGE_USERS)
@require_POST
def resync(request: PortalRequest, pk: int) -> HttpResponse:
    """Have the account's license and vault users looked at now."""
    account = _found(request, pk)
    choices.resync(account=account, actor=request.actor, at=timezone.now())
    messages.success(request, "Workers look at the license and the vaults of this user now.")
    return SeeOther(address(request.subscription, "user", pk=pk))


@requires(Permission.CHANGE_USERS)
@require_POST
def manual_type(request: PortalRequest, pk: int) -> HttpResponse:
    """Set the license type that a manual account wants of its own."""
    account, form = _found(request, pk), ManualTypeForm(request.POST)
    if not form.is_valid():
        messages.error(request, "There is no such license type. Choose one of the list.")
    else:
        _choose_manual(request, account, form.cleaned_data["license_type"])
    return SeeOther(address(request.subscription, "user", pk=pk))


def _choose_manual(request: PortalRequest, account: LoginAccount, license_type: LicenseType) -> None:
    try:
        choices.choose_manual(
            subscription=request.subscription,
            account_ids=[account.pk],
            license_type=license_type,
            actor=request.actor,
            at=timezone.now(),
        )
    except (AccountRemoved, AccountProvisioned) as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, f"The license type of this user is {license_type.label}. Workers look at it now.")


def _found(request: PortalRequest, pk: int) -> LoginAccount:
    account = accounts.find(request.subscription, pk)
    if account is None:
        raise Http404
    return account


@requires(Permission.SEE)
def account(request: PortalRequest, pk: int) -> HttpResponse:
    """Show an account's license with its reason and its pin."""
    found, now = _found(request, pk), timezone.now()
    grant = LicenseGrant.objects.filter(account=found).first() or LicenseGrant()
    context = {
        "account": found,
        "grant": grant,
        "reason": reasons.reason(found, now=now),
        "manual_form": ManualTypeForm(initial={"license_type": grant.manual_type or 0}),
    }
    return render(request, "licensing/_account.html", context)


@requires(Permission.SEE)
def timeline(request: PortalRequest, pk: int) -> HttpResponse:
    """Show an account's way from the provider's request to its vaults; what the log says only to who may see it."""
    sees_log = Permission.PROVISIONING in ROLES[request.role]
    steps = way.steps(_found(request, pk), now=timezone.now(), sees_log=sees_log)
    return render(request, "licensing/_timeline.html", {"pk": pk, "steps": steps})
