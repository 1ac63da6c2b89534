"""The vaults of the subscription."""

from django.http import HttpResponse
from django.shortcuts import render

from provisioning import columns
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.queries import groups as queries
from provisioning.views.common import with_cells


@requires(Permission.SEE)
def vaults(request: PortalRequest) -> HttpResponse:
    rows = with_cells("vaults", list(queries.vaults(request.subscription)))
    return render(request, "provisioning/vaults.html", {"rows": rows, "titles": columns.titles("vaults")})
