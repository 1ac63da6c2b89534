"""The provisioning log and the audit log."""

from django.http import Http404, HttpResponse
from django.shortcuts import render

from provisioning.forms import LogFilter
from provisioning.permissions import ROLES, Permission, PortalRequest, requires
from provisioning.queries import logs as queries
from provisioning.views.common import template_for


@requires(Permission.PROVISIONING)
def log(request: PortalRequest) -> HttpResponse:
    """List the SCIM writes and failures that fit the filter, newest first, a page at a time."""
    form = LogFilter(request.GET, subscription=request.subscription)
    form.is_valid()
    narrowed = form.cleaned_data
    wanted = queries.Wanted(
        search=narrowed.get("q", ""),
        result=narrowed.get("result", ""),
        operation=narrowed.get("operation", ""),
        configuration=narrowed.get("configuration"),
        first_day=narrowed.get("first_day"),
        last_day=narrowed.get("last_day"),
    )
    page = queries.calls_page(request.subscription, wanted, request.GET.get("page", ""))
    context = {"form": form, "page": page, "is_narrowed": wanted != queries.Wanted()}
    return render(request, template_for(request, "log"), context)


@requires(Permission.PROVISIONING)
def log_entry(request: PortalRequest, pk: int) -> HttpResponse:
    entry = queries.call(request.subscription, pk)
    if entry is None:
        raise Http404
    return render(request, "provisioning/log_entry.html", {"entry": entry})


@requires(Permission.SEE_OWN_ACTS)
def audit(request: PortalRequest) -> HttpResponse:
    """List who did what, newest first; without the right to see all, only one's own acts."""
    sees_all = Permission.SEE_ALL_ACTS in ROLES[request.role]
    page = queries.acts_page(
        request.subscription,
        only_of="" if sees_all else request.actor.name,
        cursor=request.GET.get("page", ""),
    )
    return render(request, "provisioning/audit.html", {"page": page, "sees_all": sees_all})
