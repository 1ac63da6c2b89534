"""Links from user groups to user groups of vaults."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from provisioning import columns
from provisioning.addresses import address
from provisioning.forms import LinkForm
from provisioning.models import GroupLink
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.queries import groups as queries
from provisioning.services import links as services
from provisioning.views.common import SeeOther, template_for, with_cells

_REFUSALS: dict[type[Exception], str] = {
    services.TargetUnknown: "target",
    services.TargetBuiltIn: "new_target",
    services.TargetLinked: "new_target",
}
"""Why a link is refused, and the field beside which that is said."""


@requires(Permission.PROVISIONING)
def links(request: PortalRequest) -> HttpResponse:
    page = queries.links_page(request.subscription, request.GET.get("page", ""))
    context = {"page": page, "rows": with_cells("links", page.rows), "titles": columns.titles("links")}
    return render(request, template_for(request, "links"), context)


@requires(Permission.PROVISIONING)
def link_create(request: PortalRequest) -> HttpResponse:
    """Ask for source, target and mode; a POST creates the link."""
    if request.method == "POST":
        form = LinkForm(request.POST, subscription=request.subscription)
        if form.is_valid() and (link := _create(request, form)):
            messages.success(request, f"{link} is linked. Workers bring the members to the vault now.")
            return SeeOther(address(request.subscription, "links"))
    else:
        form = LinkForm(initial={"group": request.GET.get("group", "")}, subscription=request.subscription)
    return render(request, "provisioning/link_create.html", {"form": form}, status=422 if form.errors else 200)


def _create(request: PortalRequest, form: LinkForm) -> GroupLink | None:
    """Create the link; a refusal stands in the form, as a sentence beside its field."""
    vault, name = form.target_vault_and_name()
    try:
        return services.link_group(
            group=form.cleaned_data["group"],
            vault=vault,
            target_name=name,
            create_target=form.cleaned_data["kind"] == "new",
            mode=GroupLink.Mode(form.cleaned_data["mode"]),
            actor=request.actor,
            at=timezone.now(),
        )
    except (services.TargetUnknown, services.TargetBuiltIn, services.TargetLinked) as error:
        field = _REFUSALS[type(error)] if form.cleaned_data["kind"] == "new" else "target"
        form.add_error(field, str(error))
        return None
