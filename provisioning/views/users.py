"""Internal users, and one user's information."""

from django.http import Http404, HttpResponse
from django.shortcuts import render

from provisioning import columns
from provisioning.forms import UserFilter
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.queries import accounts
from provisioning.queries.pages import count_words
from provisioning.views.common import template_for, with_cells


@requires(Permission.SEE)
def users(request: PortalRequest) -> HttpResponse:
    """List the internal users that fit the filter, a page at a time."""
    form = UserFilter(request.GET, subscription=request.subscription)
    form.is_valid()
    narrowed = form.cleaned_data
    wanted = accounts.Wanted(
        search=narrowed.get("q", ""),
        state=narrowed.get("state", ""),
        configuration=narrowed.get("configuration", ""),
        group=narrowed.get("group"),
    )
    rows = accounts.internal_users(request.subscription, wanted)
    page = accounts.page_of(rows, request.GET.get("page", ""))
    context = {
        "form": form,
        "page": page,
        "rows": with_cells("accounts", page.rows),
        "titles": columns.titles("accounts"),
        "total": count_words(rows),
        "is_narrowed": wanted != accounts.Wanted(),
    }
    return render(request, template_for(request, "users"), context)


@requires(Permission.SEE)
def user(request: PortalRequest, pk: int) -> HttpResponse:
    """Show everything that is known of one account."""
    account = accounts.find(request.subscription, pk)
    if account is None:
        raise Http404
    context = {
        "account": account,
        "groups": accounts.groups_of(account),
        "calls": accounts.calls_about(account),
    }
    return render(request, "provisioning/user.html", context)
