"""The audit log: who did what, when and from where, and whether it is as it was written."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone

from provisioning import audit_texts, exports
from provisioning.audit_forms import AuditFilter
from provisioning.models import AuditEntry
from provisioning.permissions import ROLES, Permission, PortalRequest, requires
from provisioning.queries import audit as queries
from provisioning.services.audit_verification import unverified
from provisioning.services.exports import record_export
from provisioning.views.common import file_answer, template_for

_CHANGES_SHOWN: Final = 500


@requires(Permission.SEE_OWN_ACTS)
def audit(request: PortalRequest) -> HttpResponse:
    """List the acts that fit the filter, newest first, a page at a time, and say whether they verify."""
    form = _filter(request)
    wanted = form.wanted()
    page = queries.acts_page(request.subscription, wanted, request.GET.get("page", ""))
    context = {
        "form": form,
        "page": page,
        "is_narrowed": wanted != queries.Wanted(only_of=wanted.only_of),
        "sees_all": not wanted.only_of,
        "unverified": sorted(unverified(page.rows)),
        "head": queries.head(request.subscription),
    }
    return render(request, template_for(request, "audit"), context)


@requires(Permission.SEE_OWN_ACTS)
def audit_entry(request: PortalRequest, pk: int) -> HttpResponse:
    """Show everything that is known of one act."""
    entry = queries.act(request.subscription, pk, _only_of(request))
    if entry is None:
        raise Http404
    changes = audit_texts.changes(entry.changes)
    context = {
        "entry": entry,
        "role": audit_texts.role(entry),
        "changes": list(islice(changes, _CHANGES_SHOWN)),
        "more": sum(1 for _ in changes),
        "is_verified": not unverified([entry]),
    }
    return render(request, "provisioning/audit_entry.html", context)


@requires(Permission.SEE_OWN_ACTS)
def audit_csv(request: PortalRequest) -> StreamingHttpResponse:
    """Send every act that fits the filter, newest first, as CSV."""
    rows = (audit_texts.cells(entry) for entry in _exported(request, "CSV"))
    return file_answer(exports.csv_lines(audit_texts.TITLES, rows), "text/csv; charset=utf-8", "audit-log.csv")


@requires(Permission.SEE_OWN_ACTS)
def audit_json(request: PortalRequest) -> StreamingHttpResponse:
    """Send every act that fits the filter, newest first, as a JSON array."""
    documents = (audit_texts.document(entry) for entry in _exported(request, "JSON"))
    return file_answer(exports.json_array(documents), "application/json", "audit-log.json")


def _only_of(request: PortalRequest) -> str:
    """Return whose acts alone the person may see; empty: everybody's."""
    return "" if Permission.SEE_ALL_ACTS in ROLES[request.role] else request.actor.name


def _filter(request: PortalRequest) -> AuditFilter:
    return AuditFilter(request.GET, subscription=request.subscription, only_of=_only_of(request))


def _exported(request: PortalRequest, form: str) -> Iterator[AuditEntry]:
    """Return the acts that the address asks for, and note in the audit log who took them."""
    wanted = _filter(request).wanted()
    record_export(
        subscription=request.subscription,
        what=f"audit log as {form}",
        narrowed={name: [None, value] for name, value in request.GET.items() if value and name != "page"},
        actor=request.actor,
        at=timezone.now(),
    )
    return queries.all_acts(request.subscription, wanted)
