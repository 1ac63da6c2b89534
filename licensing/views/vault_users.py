"""The users of one vault: their list, and disabling and enabling one of them there."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from licensing.services import vault_users as service
from licensing.services.vault_users import Row
from licensing.vault_forms import VaultUserFilter
from licensing.views.vaults import found_vault
from provisioning.addresses import address
from provisioning.models import Vault
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.services import vault_access
from provisioning.views.common import SeeOther

_FIRST_STATE = "enabled"


@requires(Permission.SEE)
def vault_users(request: PortalRequest, vault_pk: int) -> HttpResponse:
    """List the users of a vault in one state, a page at a time."""
    found = found_vault(request, vault_pk)
    form = VaultUserFilter(request.GET)
    typed: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    state, search = typed.get("state") or _FIRST_STATE, typed.get("q", "")
    page = service.page_of(found, state=state, search=search, cursor=request.GET.get("page", ""))
    context = {
        "vault": found,
        "form": VaultUserFilter(initial={"q": search, "state": state}),
        "state": state,
        "search": search,
        "page": page,
        "rows": service.rows_of(page.rows),
    }
    return render(request, "licensing/vault_users.html", context)


@requires(Permission.CHANGE_VAULT_RIGHTS)
def vault_user_disable(request: PortalRequest, vault_pk: int, pk: int) -> HttpResponse:
    """Say what disabling a user in the vault does; a POST does it. A dialog gets the question alone."""
    found, row = _found(request, vault_pk, pk)
    if request.method == "POST":
        return _decide(request, found, row, vault_access.block, "kept disabled in this vault")
    template = "licensing/_vault_user_disable.html" if request.htmx else "licensing/vault_user_disable.html"
    return render(request, template, {"vault": found, "row": row})


@requires(Permission.CHANGE_VAULT_RIGHTS)
@require_POST
def vault_user_enable(request: PortalRequest, vault_pk: int, pk: int) -> HttpResponse:
    """Let links decide about the user again, also one whom a person disabled in the vault."""
    found, row = _found(request, vault_pk, pk)
    return _decide(request, found, row, vault_access.unblock, "enabled again if links or an admin want it")


def _found(request: PortalRequest, vault_pk: int, pk: int) -> tuple[Vault, Row]:
    found = found_vault(request, vault_pk)
    row = service.find(found, pk)
    if row is None:
        raise Http404
    return found, row


def _decide(request: PortalRequest, found: Vault, row: Row, deed: Callable[..., int], done: str) -> HttpResponse:
    account = row.user.account
    if account is None:
        raise Http404
    try:
        deed(accounts=[account], vault=found, actor=request.actor, at=timezone.now())
    except vault_access.REFUSALS as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{account.username} is {done}. Workers bring the vault in line now.")
    return SeeOther(address(request.subscription, "vault_users", vault_pk=found.pk))
