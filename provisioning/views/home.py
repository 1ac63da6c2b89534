"""Home."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from provisioning import columns, fragments
from provisioning.permissions import ROLES, Permission, PortalRequest, requires
from provisioning.queries import attention, audit
from provisioning.queries.configurations import configurations
from provisioning.queries.unsent import unsent
from provisioning.queries.vaults import vaults
from provisioning.views.common import with_cells

_VAULTS_SHOWN = 20


@requires(Permission.SEE)
def home(request: PortalRequest) -> HttpResponse:
    """Show how the subscription fares, its licenses, its vaults, and what needs a person."""
    now, subscription = timezone.now(), request.subscription
    rows = list(configurations(subscription, now=now))
    notices = [
        notice
        for notice in (
            *attention.facts(subscription, rows),
            *attention.problems(subscription, rows, now=now),
            *unsent(subscription),
            *audit.notices(subscription),
            *fragments.notices(subscription),
        )
        if notice.permission in ROLES[request.role]
    ]
    context = {
        "facts": [notice for notice in notices if notice.tone == "good"],
        "todo": [notice for notice in notices if notice.tone != "good"],
        "vaults": with_cells("home_vaults", list(vaults(subscription)[:_VAULTS_SHOWN])),
        "vault_titles": columns.titles("home_vaults"),
        "has_configurations": bool(rows),
    }
    return render(request, "provisioning/home.html", context)
