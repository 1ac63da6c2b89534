"""The provisioning log."""

from collections.abc import Iterator

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone

from provisioning import call_files, call_texts, exports
from provisioning.forms import LogFilter
from provisioning.models import ProvisioningLogEntry
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.queries import logs as queries
from provisioning.services.exports import record_export
from provisioning.views.common import file_answer, template_for


@requires(Permission.PROVISIONING)
def log(request: PortalRequest) -> HttpResponse:
    """List the SCIM writes and failures that fit the filter, newest first, a page at a time."""
    form = LogFilter(request.GET, subscription=request.subscription)
    wanted = form.wanted()
    page = queries.calls_page(request.subscription, wanted, request.GET.get("page", ""))
    context = {
        "form": form,
        "page": page,
        "is_narrowed": wanted != queries.Wanted(),
        "known": queries.named(request.subscription, wanted.search) if wanted.search else [],
        "only": wanted.resource and (page.rows[0].resource_name if page.rows else wanted.resource),
    }
    return render(request, template_for(request, "log"), context)


@requires(Permission.PROVISIONING)
def log_entry(request: PortalRequest, pk: int) -> HttpResponse:
    """Show everything that is known of one call."""
    entry = queries.call(request.subscription, pk)
    if entry is None:
        raise Http404
    context = {
        "entry": entry,
        "subject": queries.subject(entry),
        "advice": "" if entry.is_success else call_texts.advice(entry.status),
        "changes": call_texts.changes(entry.changes),
    }
    return render(request, "provisioning/log_entry.html", context)


@requires(Permission.PROVISIONING)
def log_csv(request: PortalRequest) -> StreamingHttpResponse:
    """Send every call that fits the filter, newest first, as CSV."""
    rows = (call_files.cells(entry) for entry in _exported(request, "CSV"))
    return file_answer(exports.csv_lines(call_files.TITLES, rows), "text/csv; charset=utf-8", "provisioning-log.csv")


@requires(Permission.PROVISIONING)
def log_json(request: PortalRequest) -> StreamingHttpResponse:
    """Send every call that fits the filter, newest first, as a JSON array."""
    documents = (call_files.document(entry) for entry in _exported(request, "JSON"))
    return file_answer(exports.json_array(documents), "application/json", "provisioning-log.json")


def _exported(request: PortalRequest, form: str) -> Iterator[ProvisioningLogEntry]:
    """Return the calls that the address asks for, and note in the audit log who took them."""
    wanted = LogFilter(request.GET, subscription=request.subscription).wanted()
    narrowed = {name: [None, value] for name, value in request.GET.items() if value and name != "page"}
    record_export(
        subscription=request.subscription,
        what=f"provisioning log as {form}",
        narrowed=narrowed,
        actor=request.actor,
        at=timezone.now(),
    )
    return queries.all_calls(request.subscription, wanted)
