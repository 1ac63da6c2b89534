"""An account's access to vaults, and its admin rights there: shown to all, decided by who may."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from licensing.services import account_vaults
from provisioning.addresses import address
from provisioning.models import LoginAccount, Vault
from provisioning.permissions import ROLES, Permission, PortalRequest, requires
from provisioning.queries import accounts
from provisioning.services import vault_access
from provisioning.views.common import SeeOther

_LONGEST_ID: Final = 18


@dataclass(frozen=True, slots=True)
class Deed:
    """What an admin decides; ``done`` is told afterwards, of the vault."""

    do: Callable[..., Any]
    done: str


DEEDS: Final = {
    "give": Deed(vault_access.give_access, "Access to {} is given. Workers do it now; it takes a license."),
    "take": Deed(vault_access.take_access, "The access to {} that an admin gave is taken away."),
    "disable": Deed(vault_access.block, "Disabled in {}. Workers do it now."),
    "enable": Deed(vault_access.unblock, "Enabled in {} again, if links or an admin give access. Workers do it now."),
    "full_control": Deed(
        partial(vault_access.set_full_control, full_control=True), "Full control of {} is given. Workers do it now."
    ),
    "no_full_control": Deed(
        partial(vault_access.set_full_control, full_control=False),
        "Full control of {} is taken away. Workers do it now; other admin rights stay.",
    ),
    "own_full_control": Deed(
        partial(vault_access.set_full_control, full_control=None), "Full control of {} stays as the vault has it."
    ),
}
"""By the word that a form sends."""


@requires(Permission.SEE)
def vaults(request: PortalRequest, pk: int) -> HttpResponse:
    """Show an account's vaults: how it stands there, why, and what it may do."""
    account = _account(request, pk)
    may_change = Permission.CHANGE_VAULT_RIGHTS in ROLES[request.role]
    context = {
        "account": account,
        "places": account_vaults.of_account(account),
        "others": account_vaults.others(account) if may_change and not account.is_removed else [],
    }
    return render(request, "licensing/_account_vaults.html", context)


@requires(Permission.CHANGE_VAULT_RIGHTS)
@require_POST
def give(request: PortalRequest, pk: int) -> HttpResponse:
    """Give the account access to the vault of the form."""
    account, word = _account(request, pk), request.POST.get("vault", "")
    vault = _vaults(request).filter(pk=int(word)).first() if word.isdecimal() and len(word) < _LONGEST_ID else None
    if vault is None:
        messages.error(request, "Choose the vault to give access to.")
    else:
        _decide(request, account, vault, DEEDS["give"])
    return _to_account(request, account)


@requires(Permission.CHANGE_VAULT_RIGHTS)
def change(request: PortalRequest, vault_pk: int, pk: int) -> HttpResponse:
    """Say what can be decided about an account in a vault and what each will do; a POST decides."""
    account, vault = _account(request, pk), _vaults(request).filter(pk=vault_pk).first()
    if vault is None:
        raise Http404
    if request.method == "POST":
        deed = DEEDS.get(request.POST.get("deed", ""))
        if deed is None:
            messages.error(request, "Nothing was changed. Press one of the buttons.")
        else:
            _decide(request, account, vault, deed)
        return _to_account(request, account)
    context = {"account": account, "place": account_vaults.in_vault(account, vault), "page": _page(request, account)}
    return render(request, "licensing/account_vault.html", context)


def _decide(request: PortalRequest, account: LoginAccount, vault: Vault, deed: Deed) -> None:
    try:
        number = deed.do(accounts=[account], vault=vault, actor=request.actor, at=timezone.now())
    except vault_access.REFUSALS as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, deed.done.format(vault.name) if number else "That was so already.")


def _account(request: PortalRequest, pk: int) -> LoginAccount:
    account = accounts.find(request.subscription, pk)
    if account is None:
        raise Http404
    return account


def _vaults(request: PortalRequest) -> Any:
    return Vault.objects.filter(subscription=request.subscription)


def _page(request: PortalRequest, account: LoginAccount) -> str:
    name = "application" if account.kind == LoginAccount.Kind.APPLICATION else "user"
    return address(request.subscription, name, pk=account.pk)


def _to_account(request: PortalRequest, account: LoginAccount) -> HttpResponse:
    return SeeOther(_page(request, account))
