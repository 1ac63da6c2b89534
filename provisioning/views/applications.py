"""Application accounts: their list, their pages, and the deeds on them."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from provisioning import columns
from provisioning.addresses import address
from provisioning.application_forms import ApplicationFilter, ApplicationForm, NewApplicationForm
from provisioning.models import LoginAccount
from provisioning.people_forms import DeleteForm
from provisioning.people_rules import APPLICATION_LABELS
from provisioning.permissions import ROLES, Permission, PortalRequest, requires
from provisioning.queries import applications as queries
from provisioning.queries.pages import count_words
from provisioning.services import applications as services
from provisioning.services import audit, vault_access
from provisioning.user_licenses import registered
from provisioning.views.common import SeeOther, with_cells


@requires(Permission.SEE)
def applications(request: PortalRequest) -> HttpResponse:
    """List the application accounts by name, a page at a time; a search narrows them."""
    form = ApplicationFilter(request.GET)
    search, rows = form.search(), queries.applications(request.subscription)
    page = queries.page_of(rows, search=search, cursor=request.GET.get("page", ""))
    context = {
        "form": form,
        "search": search,
        "page": page,
        "rows": with_cells("accounts", page.rows),
        "titles": columns.titles("accounts"),
        "number": "" if search else count_words(rows),
    }
    return render(request, "provisioning/applications.html", context)


@requires(Permission.SEE)
def application(request: PortalRequest, pk: int) -> HttpResponse:
    """Show everything that is known of one application account."""
    return render(request, "provisioning/application.html", {"account": _found(request, pk)})


@requires(Permission.CHANGE_USERS)
def application_create(request: PortalRequest) -> HttpResponse:
    """Ask what is to be added; a POST adds it, with its license type and its vaults."""
    may_give_vaults = Permission.CHANGE_VAULT_RIGHTS in ROLES[request.role]
    form = NewApplicationForm(request.POST or None, subscription=request.subscription, may_give_vaults=may_give_vaults)
    if request.method == "POST" and form.is_valid():
        made = _attempt(form, lambda: _create(request, form.cleaned_data))
        if made is not None:
            messages.success(request, f"{made.full_name} is added.")
            return _to_page(request, made)
    return _form_page(request, form, None)


@requires(Permission.CHANGE_USERS)
def application_edit(request: PortalRequest, pk: int) -> HttpResponse:
    """Ask for another name and client ID; a POST saves them."""
    account = _found(request, pk)
    form = ApplicationForm(request.POST or None, account=account)
    if request.method == "POST" and form.is_valid():
        fields = form.cleaned_data
        changed = _attempt(
            form,
            lambda: services.change_application(account=account, **fields, actor=request.actor, at=timezone.now()),
        )
        if changed is not None:
            messages.success(request, f"{changed.full_name} is saved.")
            return _to_page(request, changed)
    return _form_page(request, form, account)


@requires(Permission.CHANGE_USERS)
@require_POST
def application_disable(request: PortalRequest, pk: int) -> HttpResponse:
    done = "{} is disabled. Workers disable it in its vaults."
    return _do(request, _found(request, pk), services.disable_application, done)


@requires(Permission.CHANGE_USERS)
@require_POST
def application_enable(request: PortalRequest, pk: int) -> HttpResponse:
    done = "{} is enabled and asks for a license again."
    return _do(request, _found(request, pk), services.enable_application, done)


@requires(Permission.CHANGE_USERS)
def application_delete(request: PortalRequest, pk: int) -> HttpResponse:
    """Ask for the client ID before a disabled application account is deleted for good."""
    account = _found(request, pk)
    form = DeleteForm(request.POST or None, username=account.username, label=APPLICATION_LABELS["username"])
    if request.method == "POST" and form.is_valid():
        try:
            services.delete_application(account=account, actor=request.actor, at=timezone.now())
        except services.REFUSALS as refusal:
            return _refused(request, account, refusal)
        messages.success(request, f"{account.full_name} is deleted.")
        return SeeOther(address(request.subscription, "applications"))
    context = {"account": account, "form": form}
    return render(request, "provisioning/application_delete.html", context, status=422 if form.errors else 200)


def _found(request: PortalRequest, pk: int) -> LoginAccount:
    account = queries.find(request.subscription, pk)
    if account is None:
        raise Http404
    return account


@audit.recorded_last()
def _create(request: PortalRequest, fields: dict[str, Any]) -> LoginAccount:
    now, license_type, vaults = timezone.now(), fields["license_type"], fields.get("vaults", ())
    account = services.create_application(
        subscription=request.subscription,
        name=fields["name"],
        client_id=fields["client_id"],
        actor=request.actor,
        at=now,
    )
    if license_type:
        registered().choose(
            subscription=request.subscription,
            account_ids=[account.pk],
            license_type=license_type,
            actor=request.actor,
            at=now,
        )
    for vault in vaults:
        vault_access.give_access(accounts=[account], vault=vault, actor=request.actor, at=now)
    return account


def _attempt(form: ApplicationForm, deed: Callable[[], LoginAccount]) -> LoginAccount | None:
    """Do it; what is refused stands in the form."""
    try:
        return deed()
    except services.ClientIdInUse as refusal:
        form.add_error("client_id", str(refusal))
    except services.REFUSALS as refusal:
        form.add_error(None, str(refusal))
    return None


def _do(request: PortalRequest, account: LoginAccount, deed: Callable[..., None], done: str) -> HttpResponse:
    try:
        deed(account=account, actor=request.actor, at=timezone.now())
    except services.REFUSALS as refusal:
        return _refused(request, account, refusal)
    messages.success(request, done.format(account.full_name))
    return _to_page(request, account)


def _refused(request: PortalRequest, account: LoginAccount, refusal: Exception) -> HttpResponse:
    messages.error(request, str(refusal))
    return _to_page(request, account)


def _to_page(request: PortalRequest, account: LoginAccount) -> HttpResponse:
    return SeeOther(address(request.subscription, "application", pk=account.pk))


def _form_page(request: PortalRequest, form: ApplicationForm, account: LoginAccount | None) -> HttpResponse:
    context = {"form": form, "account": account}
    return render(request, "provisioning/application_form.html", context, status=422 if form.errors else 200)
