"""Provisioned user groups: their list, their pages, and their license type."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from provisioning import fragments
from provisioning.addresses import address
from provisioning.forms import GroupLicenseForm
from provisioning.models import UserGroup
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.queries import groups as queries
from provisioning.queries import links
from provisioning.queries.accounts import members_of
from provisioning.services.group_settings import set_group_license
from provisioning.views.common import SeeOther, with_cells


@requires(Permission.PROVISIONING)
def groups(request: PortalRequest) -> HttpResponse:
    page = queries.page_of(queries.user_groups(request.subscription), request.GET.get("page", ""))
    return render(request, "provisioning/groups.html", {"page": page, "rows": page.rows})


@requires(Permission.PROVISIONING)
def group(request: PortalRequest, pk: int) -> HttpResponse:
    """Show a group, its members a page at a time, and its links."""
    found = _found(request, pk)
    context = {
        "group": found,
        "form": GroupLicenseForm(initial={"license_type": found.license_type}),
        "page": members_of(found, request.GET.get("page", "")),
        "links": with_cells("links", links.of_group(found)),
    }
    return render(request, "provisioning/group.html", context)


@requires(Permission.PROVISIONING)
def group_license(request: PortalRequest, pk: int) -> HttpResponse:
    """Say what another license type will do; a POST does it."""
    found = _found(request, pk)
    form = GroupLicenseForm(request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        raise Http404
    license_type = form.cleaned_data["license_type"]
    if request.method == "POST":
        set_group_license(group=found, license_type=license_type, actor=request.actor, at=timezone.now())
        messages.success(request, f"The license type of {found.display_name} is changed. Workers look at each member.")
        return SeeOther(address(request.subscription, "group", pk=pk))
    context = {"group": found, "license_type": license_type, "has_preview": bool(fragments.views("group_license"))}
    return render(request, "provisioning/group_license.html", context)


def _found(request: PortalRequest, pk: int) -> UserGroup:
    found = queries.find(request.subscription, pk)
    if found is None:
        raise Http404
    return found
