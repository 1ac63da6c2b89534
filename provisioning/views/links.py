"""Links from user groups to user groups of vaults: their list, and adding one."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from provisioning import columns
from provisioning.addresses import address
from provisioning.forms import LinkForm
from provisioning.models import GroupLink
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.queries import links as queries
from provisioning.services import links as services
from provisioning.views.common import SeeOther, template_for, with_cells


@requires(Permission.PROVISIONING)
def links(request: PortalRequest) -> HttpResponse:
    page = queries.page_of(request.subscription, request.GET.get("page", ""))
    context = {"page": page, "rows": with_cells("links", page.rows), "titles": columns.titles("links")}
    return render(request, template_for(request, "links"), context)


@requires(Permission.PROVISIONING)
def link_create(request: PortalRequest) -> HttpResponse:
    """Ask for source, target and mode, those of the query chosen already; a POST creates the link."""
    if request.method == "POST":
        form = LinkForm(request.POST, subscription=request.subscription)
        if form.is_valid() and (link := _create(request, form)):
            messages.success(request, f"{link} is linked. Workers bring the members to the vault now.")
            return SeeOther(address(request.subscription, "link", pk=link.pk))
    else:
        form = LinkForm(initial=request.GET.dict(), subscription=request.subscription)
    return _ask(request, form)


@requires(Permission.PROVISIONING)
def link_preview(request: PortalRequest) -> HttpResponse:
    """Say what the link of the query will do, with a button that makes it; without a query there is only the form."""
    if not request.GET:
        return SeeOther(address(request.subscription, "link_create"))
    form = LinkForm(request.GET, subscription=request.subscription)
    if not form.is_valid() or not _is_free(form):
        return _ask(request, form)
    vault, name = form.target_vault_and_name()
    context = {"form": form, "group": form.cleaned_data["group"], "vault": vault, "target_name": name}
    return render(request, "provisioning/link_preview.html", {**context, "mode": form.cleaned_data["mode"]})


def _ask(request: PortalRequest, form: LinkForm) -> HttpResponse:
    return render(request, "provisioning/link_create.html", {"form": form}, status=422 if form.errors else 200)


def _is_free(form: LinkForm) -> bool:
    """Return whether the target can be linked; a refusal stands in the form, as a sentence beside its field."""
    vault, name = form.target_vault_and_name()
    try:
        services.free_target(vault, name, may_create=form.cleaned_data["kind"] == "new")
    except services.Refusal as error:
        _refuse(form, error)
        return False
    return True


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
    except services.Refusal as error:
        _refuse(form, error)
        return None


def _refuse(form: LinkForm, error: Exception) -> None:
    form.add_error("new_target" if form.cleaned_data["kind"] == "new" else "target", str(error))
