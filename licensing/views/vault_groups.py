"""The user groups of one vault: what they are called, who is in them, and changing that."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from licensing.group_forms import VaultGroupForm
from licensing.models import VaultGroupChange
from licensing.services import group_members, vault_groups, vault_users
from provisioning.addresses import address
from provisioning.models import Vault, VaultUserGroup
from provisioning.permissions import ROLES, Permission, PortalRequest, requires
from provisioning.queries import vaults as queries
from provisioning.views.common import SeeOther

_LONGEST_ID = 18
_CHOOSE = "Choose somebody first."


@requires(Permission.SEE)
def groups(request: PortalRequest, vault_pk: int) -> HttpResponse:
    """List the user groups of a vault."""
    return _list(request, _vault(request, vault_pk), VaultGroupForm())


@requires(Permission.CHANGE_VAULT_RIGHTS)
@require_POST
def group_create(request: PortalRequest, vault_pk: int) -> HttpResponse:
    """Have a user group made in the vault."""
    vault, form = _vault(request, vault_pk), VaultGroupForm(request.POST)
    if form.is_valid():
        try:
            made = vault_groups.request_group(
                vault=vault, name=form.cleaned_data["name"], actor=request.actor, at=timezone.now()
            )
        except vault_groups.REFUSALS as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"{made.name} is being made in the vault.")
            return _to(request, made)
    return _list(request, vault, form)


@requires(Permission.SEE)
def group(request: PortalRequest, vault_pk: int, pk: int) -> HttpResponse:
    """Show a user group and, as the vault says, a page of its members."""
    found = _group(request, vault_pk, pk)
    link = vault_groups.link_of(found)
    may_change = Permission.CHANGE_VAULT_RIGHTS in ROLES[request.role]
    changes, number = group_members.open_changes(found)
    context = {
        "vault": found.vault,
        "group": found,
        "link": link,
        "members": group_members.page_of(found, request.GET.get("after", "")),
        "changes": changes,
        "more_changes": number - len(changes),
        "may_change": may_change,
        "may_change_members": may_change and not found.is_built_in and not vault_groups.is_filled(link),
    }
    if context["may_change_members"]:
        context |= _search(request, found)
    return render(request, "licensing/vault_group.html", context)


@requires(Permission.CHANGE_VAULT_RIGHTS)
@require_POST
def group_visibility(request: PortalRequest, vault_pk: int, pk: int) -> HttpResponse:
    """Show the group to the people of the vault, or hide it."""
    found, is_visible = _group(request, vault_pk, pk), request.POST.get("visible") == "1"

    def change() -> str:
        vault_groups.set_visible(group=found, is_visible=is_visible, actor=request.actor, at=timezone.now())
        return f"{found.name} is being {'shown' if is_visible else 'hidden'}."

    return _do(request, found, change)


@requires(Permission.CHANGE_VAULT_RIGHTS)
@require_POST
def group_add(request: PortalRequest, vault_pk: int, pk: int) -> HttpResponse:
    """Have the chosen vault users and groups join."""
    found = _group(request, vault_pk, pk)
    keys = group_members.keys_of(found, users=_ids(request, "users"), groups=_ids(request, "groups"))
    return _do(request, found, lambda: _change(request, found, keys, is_member=True))


@requires(Permission.CHANGE_VAULT_RIGHTS)
@require_POST
def group_remove(request: PortalRequest, vault_pk: int, pk: int) -> HttpResponse:
    """Have the chosen members leave; they can be added again."""
    found = _group(request, vault_pk, pk)
    return _do(request, found, lambda: _change(request, found, request.POST.getlist("keys"), is_member=False))


@requires(Permission.CHANGE_VAULT_RIGHTS)
@require_POST
def group_forget(request: PortalRequest, vault_pk: int, pk: int) -> HttpResponse:
    """Give up what was asked of the group and failed; a group that was never made is gone then."""
    found = _group(request, vault_pk, pk)
    vault_groups.forget_wish(group=found, actor=request.actor, at=timezone.now())
    if group_members.find(found.vault, pk):
        return _to(request, found)
    messages.success(request, f"{found.name} is not made.")
    return SeeOther(address(request.subscription, "vault_groups", vault_pk=vault_pk))


@requires(Permission.CHANGE_VAULT_RIGHTS)
@require_POST
def change_forget(request: PortalRequest, vault_pk: int, pk: int, change_pk: int) -> HttpResponse:
    """Give up a wish about a member; the vault stays as it is."""
    found = _group(request, vault_pk, pk)
    change = get_object_or_404(VaultGroupChange, group=found, pk=change_pk)
    vault_groups.forget_change(change=change, actor=request.actor, at=timezone.now())
    messages.success(request, "That is forgotten. The vault stays as it is.")
    return _to(request, found)


def _vault(request: PortalRequest, pk: int) -> Vault:
    found = queries.find(request.subscription, pk)
    if found is None:
        raise Http404
    return found


def _group(request: PortalRequest, vault_pk: int, pk: int) -> VaultUserGroup:
    found = group_members.find(_vault(request, vault_pk), pk)
    if found is None:
        raise Http404
    return found


def _list(request: PortalRequest, vault: Vault, form: VaultGroupForm) -> HttpResponse:
    page = group_members.groups_page(vault, request.GET.get("page", ""))
    context = {"vault": vault, "page": page, "form": form}
    return render(request, "licensing/vault_groups.html", context, status=422 if form.errors else 200)


def _search(request: PortalRequest, group: VaultUserGroup) -> dict[str, Any]:
    """Return the vault's users that fit the search, and the groups that may be chosen."""
    search = request.GET.get("q", "").strip()[:200]
    context: dict[str, Any] = {"search": search, "others": group_members.possible_groups(group)}
    if search:
        cursor = request.GET.get("page", "")
        context["page"] = vault_users.page_of(group.vault, state="enabled", search=search, cursor=cursor)
    return context


def _ids(request: PortalRequest, name: str) -> list[int]:
    return [int(one) for one in request.POST.getlist(name) if one.isdecimal() and len(one) <= _LONGEST_ID]


def _change(request: PortalRequest, group: VaultUserGroup, keys: list[str], *, is_member: bool) -> str:
    number = vault_groups.change_members(
        group=group, keys=keys, is_member=is_member, actor=request.actor, at=timezone.now()
    )
    if not number:
        return _CHOOSE
    people = "1 member is" if number == 1 else f"{number:,} members are"
    return f"{people} being {'added' if is_member else 'removed'}."


def _do(request: PortalRequest, group: VaultUserGroup, deed: Callable[[], str]) -> HttpResponse:
    try:
        messages.success(request, deed())
    except vault_groups.REFUSALS as refusal:
        messages.error(request, str(refusal))
    return _to(request, group)


def _to(request: PortalRequest, group: VaultUserGroup) -> HttpResponse:
    return SeeOther(address(request.subscription, "vault_group", vault_pk=group.vault_id, pk=group.pk))
