"""Internal users made, changed and ended by hand."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from provisioning.addresses import address
from provisioning.models import LoginAccount, PasswordMail
from provisioning.people_forms import DeleteForm, PersonForm
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.queries import accounts
from provisioning.services import audit, password_links, people
from provisioning.services.manual_accounts import UsernameInUse
from provisioning.user_licenses import registered
from provisioning.views.common import SeeOther

Role = LoginAccount.Role
_SENT: Final = {
    PasswordMail.Kind.INVITATION: "An invitation to {} is on its way by mail. Earlier ones open nothing any more.",
    PasswordMail.Kind.RESET: "A link by which {} can choose another password is on its way by mail.",
}


@requires(Permission.CHANGE_USERS)
def user_create(request: PortalRequest) -> HttpResponse:
    """Ask who is to be added; a POST adds them."""
    form = PersonForm(request.POST or None, roles=_roles(request))
    if request.method == "POST" and form.is_valid():
        made = _attempt(form, lambda: _create(request, form.cleaned_data))
        if made is not None:
            messages.success(request, f"{made.username} is added.")
            return SeeOther(address(request.subscription, "user", pk=made.pk))
    return _form_page(request, form, None)


@requires(Permission.CHANGE_USERS)
def user_edit(request: PortalRequest, pk: int) -> HttpResponse:
    """Ask what is to be different; of a provisioned user only the role can be."""
    account = _found(request, pk)
    if not people.may_touch(request.actor, account.role):
        return _refused(request, account, str(people.RoleOutOfReach()))
    form = PersonForm(request.POST or None, roles=_roles(request), account=account)
    if request.method == "POST" and form.is_valid():
        changed = _attempt(form, lambda: _change(request, account, form.cleaned_data))
        if changed is not None:
            messages.success(request, f"{changed.username} is saved.")
            return SeeOther(address(request.subscription, "user", pk=pk))
    return _form_page(request, form, account)


@requires(Permission.CHANGE_USERS)
@require_POST
def user_disable(request: PortalRequest, pk: int) -> HttpResponse:
    return _do(request, _found(request, pk), people.disable_person, "{} is disabled and can sign in nowhere any more.")


@requires(Permission.CHANGE_USERS)
@require_POST
def user_enable(request: PortalRequest, pk: int) -> HttpResponse:
    return _do(request, _found(request, pk), people.enable_person, "{} is enabled and asks for a license again.")


@requires(Permission.CHANGE_USERS)
@require_POST
def user_send_link(request: PortalRequest, pk: int) -> HttpResponse:
    """Mail the person an invitation again, or a link to choose another password."""
    account = _found(request, pk)
    try:
        kind = password_links.send_link(account=account, actor=request.actor, at=timezone.now())
    except password_links.REFUSALS as refusal:
        return _refused(request, account, str(refusal))
    messages.success(request, _SENT[kind].format(account.username))
    return SeeOther(address(request.subscription, "user", pk=pk))


@requires(Permission.CHANGE_USERS)
def user_delete(request: PortalRequest, pk: int) -> HttpResponse:
    """Ask for the username before a disabled user is deleted for good."""
    account = _found(request, pk)
    form = DeleteForm(request.POST or None, username=account.username)
    if request.method == "POST" and form.is_valid():
        try:
            people.delete_person(account=account, actor=request.actor, at=timezone.now())
        except people.REFUSALS as refusal:
            return _refused(request, account, str(refusal))
        messages.success(request, f"{account.username} is deleted.")
        return SeeOther(address(request.subscription, "users"))
    context = {"account": account, "form": form}
    return render(request, "provisioning/person_delete.html", context, status=422 if form.errors else 200)


def _found(request: PortalRequest, pk: int) -> LoginAccount:
    account = accounts.find(request.subscription, pk)
    if account is None or account.kind != LoginAccount.Kind.PERSON:
        raise Http404
    return account


def _roles(request: PortalRequest) -> list[Role]:
    """Return the roles that the person may give."""
    return [role for role in Role if people.may_touch(request.actor, role)]


@audit.recorded_last()
def _create(request: PortalRequest, data: dict[str, Any]) -> LoginAccount:
    now, license_type = timezone.now(), data.pop("license_type")
    account = people.create_person(subscription=request.subscription, actor=request.actor, at=now, **data)
    if license_type:
        registered().choose(
            subscription=request.subscription,
            account_ids=[account.pk],
            license_type=license_type,
            actor=request.actor,
            at=now,
        )
    return account


def _change(request: PortalRequest, account: LoginAccount, data: dict[str, Any]) -> LoginAccount:
    now = timezone.now()
    if account.configuration_id is None:
        return people.change_person(account=account, actor=request.actor, at=now, **data)
    people.set_role(account=account, role=data["role"], actor=request.actor, at=now)
    return account


def _attempt(form: PersonForm, deed: Callable[[], LoginAccount]) -> LoginAccount | None:
    """Do it; what is refused stands in the form."""
    try:
        return deed()
    except UsernameInUse as refusal:
        form.add_error("username", str(refusal))
    except people.REFUSALS as refusal:
        form.add_error(None, str(refusal))
    return None


def _do(request: PortalRequest, account: LoginAccount, deed: Callable[..., None], done: str) -> HttpResponse:
    try:
        deed(account=account, actor=request.actor, at=timezone.now())
    except people.REFUSALS as refusal:
        return _refused(request, account, str(refusal))
    messages.success(request, done.format(account.username))
    return SeeOther(address(request.subscription, "user", pk=account.pk))


def _refused(request: PortalRequest, account: LoginAccount, sentence: str) -> HttpResponse:
    messages.error(request, sentence)
    return SeeOther(address(request.subscription, "user", pk=account.pk))


def _form_page(request: PortalRequest, form: PersonForm, account: LoginAccount | None) -> HttpResponse:
    context = {"form": form, "account": account}
    return render(request, "provisioning/person.html", context, status=422 if form.errors else 200)
