"""What many views have in common."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from django.db.models import Model
from django.http import Http404, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.text import slugify

from provisioning import columns
from provisioning.addresses import address
from provisioning.columns import Cell
from provisioning.models import ProvisioningConfiguration
from provisioning.permissions import PortalRequest
from provisioning.queries import configurations

Row = TypeVar("Row", bound=Model)


def with_cells(table: columns.Table, rows: Sequence[Row]) -> list[tuple[Row, list[tuple[str, Cell | None]]]]:
    """Return each row with the cells that other apps add to it, each under its column's title."""
    titles, cells = columns.titles(table), columns.rows(table, [row.pk for row in rows])
    return [(row, list(zip(titles, cells[row.pk], strict=True))) for row in rows]


def template_for(request: PortalRequest, name: str) -> str:
    """Return the template of the list alone when htmx renews it, else that of the whole page."""
    part = request.htmx and not request.htmx.history_restore_request
    return f"provisioning/{'_' if part else ''}{name}.html"


def file_answer(pieces: Iterator[str], content_type: str, name: str) -> StreamingHttpResponse:
    """Return a file to be saved as ``name``, sent as its pieces are made."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(pieces, content_type=content_type, headers=headers)


def credentials_file(request: PortalRequest, template: str, context: dict[str, Any], name: str) -> HttpResponse:
    """Return credentials as a text to be saved under the name of their configuration."""
    answer = render(request, f"provisioning/{template}", context, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{slugify(name) or "credentials"}.txt"'
    return answer


class SeeOther(HttpResponseRedirect):
    """The answer to a POST: the page to look at next; reloading that repeats nothing."""

    status_code = 303


def find_configuration(request: PortalRequest, pk: int) -> ProvisioningConfiguration:
    """Return the configuration of the subscription, with its counts. Raises ``Http404``, for a deleted one too."""
    found = configurations.find(request.subscription, pk, now=timezone.now())
    if found is None:
        raise Http404
    return found


def to_configuration(request: PortalRequest, found: ProvisioningConfiguration) -> HttpResponse:
    """Lead to the configuration's page."""
    return SeeOther(address(request.subscription, "configuration", pk=found.pk))
