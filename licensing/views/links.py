"""Pieces of the pages of links: who is on the way, and what making, changing, moving or removing one would do."""

from functools import partial

from django.http import Http404, HttpResponse
from django.shortcuts import render

from licensing.services import link_previews, link_states
from licensing.views.previewing import look
from provisioning.forms import LinkForm
from provisioning.link_forms import ModeForm, RemovalForm, SourceForm
from provisioning.models import GroupLink
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.queries import links
from provisioning.queries.pages import fetch
from provisioning.services.links import Members


@requires(Permission.PROVISIONING)
def members(request: PortalRequest, pk: int) -> HttpResponse:
    """Show who shall join or leave the target and has not yet, and why."""
    rows = link_states.open_members(_found(request, pk))
    page = fetch(rows, keys=("id",), cursor=request.GET.get("page", ""))
    return render(request, "licensing/_link.html", {"page": page})


@requires(Permission.PROVISIONING)
def addition(request: PortalRequest, pk: int) -> HttpResponse:
    """Show what the link of the query would do; ``pk`` is its source's."""
    form = LinkForm(request.GET, subscription=request.subscription)
    if not form.is_valid() or form.cleaned_data["group"].pk != pk:
        raise Http404
    vault, name = form.target_vault_and_name()
    mode = GroupLink.Mode(form.cleaned_data["mode"])
    preview = partial(link_previews.added, group=form.cleaned_data["group"], vault=vault, target_name=name, mode=mode)
    return render(request, _TEMPLATE, look(request, preview))


@requires(Permission.PROVISIONING)
def mode(request: PortalRequest, pk: int) -> HttpResponse:
    """Show what the mode of the query would do."""
    form = ModeForm(request.GET)
    if not form.is_valid():
        raise Http404
    chosen = GroupLink.Mode(form.cleaned_data["mode"])
    return render(
        request, _TEMPLATE, look(request, partial(link_previews.changed_mode, link=_found(request, pk), mode=chosen))
    )


@requires(Permission.PROVISIONING)
def move(request: PortalRequest, pk: int) -> HttpResponse:
    """Show what the source of the query would do."""
    form = SourceForm(request.GET, subscription=request.subscription)
    if not form.is_valid():
        raise Http404
    group = form.cleaned_data["group"]
    return render(
        request, _TEMPLATE, look(request, partial(link_previews.moved, link=_found(request, pk), group=group))
    )


@requires(Permission.PROVISIONING)
def removal(request: PortalRequest, pk: int) -> HttpResponse:
    """Show what the choice of the query, or without one the page's own, would do."""
    found = _found(request, pk)
    usual = Members.STAY if found.ending_at else Members.LEAVE
    form = RemovalForm(request.GET if "members" in request.GET else {"members": usual.value})
    if not form.is_valid():
        raise Http404
    chosen = Members(form.cleaned_data["members"])
    return render(request, _TEMPLATE, look(request, partial(link_previews.removed, link=found, members=chosen)))


def _found(request: PortalRequest, pk: int) -> GroupLink:
    found = links.find(request.subscription, pk)
    if found is None:
        raise Http404
    return found


_TEMPLATE = "licensing/_link_preview.html"
