"""The page of one link, and the pages that ask before it is changed, moved or removed."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from provisioning.addresses import address
from provisioning.link_forms import ModeForm, RemovalForm, SourceForm
from provisioning.models import GroupLink
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.queries import links as queries
from provisioning.services import links as services
from provisioning.services.links import Members
from provisioning.views.common import SeeOther, with_cells


@requires(Permission.PROVISIONING)
def link(request: PortalRequest, pk: int) -> HttpResponse:
    """Show source, target, mode and state, and what can be done."""
    found = _found(request, pk)
    [(_, cells)] = with_cells("links", [found])
    return render(request, "provisioning/link.html", {"link": found, "cells": cells})


@requires(Permission.PROVISIONING)
@require_POST
def link_pause(request: PortalRequest, pk: int) -> HttpResponse:
    done = "The link is paused. The members of the target stay as they are until it is resumed."
    return _do(request, _found(request, pk), services.pause_link, done)


@requires(Permission.PROVISIONING)
@require_POST
def link_resume(request: PortalRequest, pk: int) -> HttpResponse:
    done = "The link is resumed. Workers catch up with what happened meanwhile."
    return _do(request, _found(request, pk), services.resume_link, done)


@requires(Permission.PROVISIONING)
def link_mode(request: PortalRequest, pk: int) -> HttpResponse:
    """Say what another mode will do; a POST changes it."""
    found = _found(request, pk)
    form = ModeForm(_data(request, "mode") or {"mode": found.mode})
    if request.method == "POST" and form.is_valid():
        mode = GroupLink.Mode(form.cleaned_data["mode"])
        return _do(request, found, services.set_mode, "The mode is changed. Workers look at the target.", mode=mode)
    return _ask(request, "mode", found, form, is_chosen=form.is_valid() and form.cleaned_data["mode"] != found.mode)


@requires(Permission.PROVISIONING)
def link_move(request: PortalRequest, pk: int) -> HttpResponse:
    """Ask for another source and say what it will do; a POST lets the target follow it."""
    found = _found(request, pk)
    form = SourceForm(_data(request, "group"), subscription=request.subscription)
    if form.is_bound and form.is_valid() and _fits(found, form) and request.method == "POST":
        group = form.cleaned_data["group"]
        done = f"The target follows {group.display_name} now. Workers bring its members to the vault."
        return _do(request, found, services.move_link, done, group=group)
    return _ask(request, "move", found, form, is_chosen=form.is_bound and not form.errors)


def _fits(found: GroupLink, form: SourceForm) -> bool:
    try:
        services.check_source(found, form.cleaned_data["group"])
    except services.SourceUnfit as error:
        form.add_error("group", str(error))
        return False
    return True


@requires(Permission.PROVISIONING)
def link_remove(request: PortalRequest, pk: int) -> HttpResponse:
    """Say what becomes of the members; a POST removes the link."""
    found = _found(request, pk)
    default = Members.STAY if found.ending_at else Members.LEAVE
    form = RemovalForm(_data(request, "members") or {"members": default.value})
    if request.method == "POST" and form.is_valid():
        return _remove(request, found, Members(form.cleaned_data["members"]))
    return _ask(request, "remove", found, form, is_chosen=form.is_valid())


def _remove(request: PortalRequest, found: GroupLink, members: Members) -> HttpResponse:
    if members is Members.LEAVE:
        done = "The link is being removed: its members leave the target group, and then it goes."
        return _do(request, found, services.remove_link, done, members=members)
    done = f"The link is removed. The members of {found.target.name} stay as they are."
    return _do(request, found, services.remove_link, done, page="links", members=members)


def _data(request: PortalRequest, field: str) -> Any:
    """Return what was posted, or else asked for in the address; None: the page was just opened."""
    if request.method == "POST":
        return request.POST
    return request.GET if field in request.GET else None


def _ask(request: PortalRequest, name: str, found: GroupLink, form: forms.Form, *, is_chosen: bool) -> HttpResponse:
    """``is_chosen``: what the form says can be done, and is shown before it is."""
    context = {"link": found, "form": form, "is_chosen": is_chosen}
    return render(request, f"provisioning/link_{name}.html", context, status=422 if form.errors else 200)


def _do(
    request: PortalRequest, found: GroupLink, deed: Callable[..., None], done: str, *, page: str = "link", **more: Any
) -> HttpResponse:
    """Do it and say so, or say why it cannot be done."""
    try:
        deed(link=found, actor=request.actor, at=timezone.now(), **more)
    except services.LinkGone as error:
        messages.error(request, str(error))
        return SeeOther(address(request.subscription, "links"))
    except services.Refusal as error:
        messages.error(request, str(error))
        return SeeOther(address(request.subscription, "link", pk=found.pk))
    messages.success(request, done)
    return SeeOther(address(request.subscription, page, **({"pk": found.pk} if page == "link" else {})))


def _found(request: PortalRequest, pk: int) -> GroupLink:
    found = queries.find(request.subscription, pk)
    if found is None:
        raise Http404
    return found
