"""Pieces of portal pages about licenses and vault users; each has an address, so that htmx can renew it."""

from functools import partial

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from licensing.services import history, overview, previews
from licensing.views import charts
from licensing.views.previewing import look
from provisioning.license_types import LicenseType
from provisioning.models import UserGroup
from provisioning.permissions import Permission, PortalRequest, requires

_SPARKLINE_DAYS = 90


@requires(Permission.SEE_LICENSES)
def home(request: PortalRequest) -> HttpResponse:
    """Show the licenses table, with how each type went and when it will be full."""
    pools = overview.pools(request.subscription)
    found = history.series(request.subscription, pools, now=timezone.now(), days=_SPARKLINE_DAYS)
    drawn = charts.draw(found)
    return render(request, "licensing/_home.html", {"rows": list(zip(pools, drawn, strict=True))})


@requires(Permission.PROVISIONING)
def group_license(request: PortalRequest, pk: int) -> HttpResponse:
    """Show who gains, loses and waits when a group gets the license type of the query (an empty one: none)."""
    group = UserGroup.objects.filter(pk=pk, subscription=request.subscription, deleted_at__isnull=True).first()
    word = request.GET.get("license_type", "")
    if group is None or (word and word not in {str(int(one)) for one in LicenseType}):
        raise Http404
    license_type = LicenseType(int(word)) if word else None
    preview = partial(previews.group_license, group=group, license_type=license_type, at=timezone.now())
    return render(request, "licensing/_preview.html", look(request, preview))
