"""What a file of users would do to licenses, on the page that asks before it is applied."""

from functools import partial

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from licensing.services import previews, user_files
from licensing.views.previewing import look
from provisioning.models import UserImport
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.user_rows import Asked


@requires(Permission.CHANGE_USERS)
def user_import(request: PortalRequest, pk: int) -> HttpResponse:
    """Show who gains, loses and waits when all rows of the file are applied."""
    found = UserImport.objects.filter(pk=pk, subscription=request.subscription).first()
    if found is None:
        raise Http404
    change = user_files.change(request.subscription, [Asked.from_document(one) for one in found.rows])
    preview = partial(previews.user_import, subscription=request.subscription, change=change, at=timezone.now())
    return render(request, "licensing/_preview.html", look(request, preview))
