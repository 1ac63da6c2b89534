"""The vaults of the subscription: their list, and the page of one."""

from django.http import Http404, HttpResponse
from django.shortcuts import render

from provisioning import columns
from provisioning.permissions import ROLES, Permission, PortalRequest, requires
from provisioning.queries import vaults as queries
from provisioning.views.common import with_cells


@requires(Permission.SEE)
def vaults(request: PortalRequest) -> HttpResponse:
    rows = with_cells("vaults", list(queries.vaults(request.subscription)))
    return render(request, "provisioning/vaults.html", {"rows": rows, "titles": columns.titles("vaults")})


@requires(Permission.SEE)
def vault(request: PortalRequest, pk: int) -> HttpResponse:
    """Show what a vault is and holds, and the links into it to who may see links."""
    found = queries.find(request.subscription, pk)
    if found is None:
        raise Http404
    sees_links = Permission.PROVISIONING in ROLES[request.role]
    links = with_cells("links", queries.links_into(found)) if sees_links else []
    return render(request, "provisioning/vault.html", {"vault": found, "links": links})
