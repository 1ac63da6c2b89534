"""Registering a vault, of which its vault server may be asked first, and removing one."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from licensing.models import VaultUser
from licensing.services import vault_servers
from licensing.services import vault_users as users
from licensing.services.vault_servers import ServerView
from licensing.vault_forms import NewVaultForm, VaultForm
from licensing.views.vaults import found_vault
from provisioning.addresses import address
from provisioning.confirming import TypedNameForm
from provisioning.models import Vault
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.queries.pages import count_words
from provisioning.services import vaults as services
from provisioning.views.common import SeeOther

_ASKS = "ask"


class ServerWithoutVault(Exception):
    """The server does not have the vault (any more), or it is registered meanwhile."""

    def __init__(self) -> None:
        super().__init__("The server does not offer that vault any more. Ask it again.")


@requires(Permission.CHANGE_VAULT_RIGHTS)
def vault_create(request: PortalRequest) -> HttpResponse:
    """Ask which vault to register; a POST asks its server what it has, or registers the vault."""
    if request.method != "POST":
        return _page(request, VaultForm(has_emulation=vault_servers.is_allowed("")))
    is_asking = request.POST.get("do") == _ASKS
    kind = VaultForm if is_asking else NewVaultForm
    form = kind(request.POST, has_emulation=vault_servers.is_allowed(""))
    if not form.is_valid():
        return _page(request, form)
    return _asked(request, form) if is_asking else _create(request, form)


def _page(request: PortalRequest, form: VaultForm, server: ServerView | None = None) -> HttpResponse:
    context = {"form": form, "server": server}
    return render(request, "licensing/vault_create.html", context, status=422 if form.errors else 200)


def _asked(request: PortalRequest, form: VaultForm) -> HttpResponse:
    """Show what the server has, with what was typed."""
    try:
        server = vault_servers.ask(request.subscription, form.cleaned_data["agent_url"])
    except vault_servers.SILENCES as silence:
        form.add_error("agent_url", str(silence))
        return _page(request, form)
    return _page(request, form, server)


def _create(request: PortalRequest, form: VaultForm) -> HttpResponse:
    try:
        vault = services.create_vault(
            subscription=request.subscription,
            user_synchronization=False,
            actor=request.actor,
            at=timezone.now(),
            **_chosen(request, form),
        )
    except services.VaultNameTaken as taken:
        form.add_error("name", str(taken))
    except (services.VaultRegistered, ServerWithoutVault, *vault_servers.SILENCES) as problem:
        form.add_error(None, str(problem))
    else:
        messages.success(request, f"{vault.name} is registered. Workers look at it now.")
        return SeeOther(address(request.subscription, "vault", pk=vault.pk))
    return _page(request, form)


def _chosen(request: PortalRequest, form: VaultForm) -> dict[str, Any]:
    """Return address, GUID and name of the vault; one that its server has is asked for its name.

    Raises ``ServerWithoutVault``, ``AgentUnavailable`` and ``AgentRefused``.
    """
    url, guid, name = (form.cleaned_data[field] for field in ("agent_url", "guid", "name"))
    if guid is None:
        return {"agent_url": url, "guid": None, "name": name}
    for one in vault_servers.ask(request.subscription, url).free:
        if one.guid == str(guid):
            return {"agent_url": url, "guid": guid, "name": name or one.name}
    raise ServerWithoutVault


@requires(Permission.CHANGE_VAULT_RIGHTS)
def vault_remove(request: PortalRequest, pk: int) -> HttpResponse:
    """Say what goes and what stays; a POST with the vault's name removes it."""
    found = found_vault(request, pk)
    form = TypedNameForm(request.POST or None, expected=found.name, what="vault")
    if request.method == "POST" and form.is_valid():
        return _remove(request, found)
    context = {
        "vault": found,
        "form": form,
        "enabled": users.enabled(found),
        "known": count_words(VaultUser.objects.filter(vault=found)),
    }
    return render(request, "licensing/vault_remove.html", context, status=422 if form.errors else 200)


def _remove(request: PortalRequest, found: Vault) -> HttpResponse:
    try:
        services.remove_vault(vault=found, actor=request.actor, at=timezone.now())
    except services.VaultGone as gone:
        messages.warning(request, str(gone))
    else:
        messages.success(request, f"{found.name} is removed here. In the vault itself nothing was changed.")
    return SeeOther(address(request.subscription, "vaults"))
