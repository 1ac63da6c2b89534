"""The parts of a vault's page that licensing knows: how it is kept in step, who is in it, and its comparisons."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from licensing.models import DriftFinding, DriftReport, VaultStatus
from licensing.services import drift, vault_users
from provisioning import exports
from provisioning.addresses import address
from provisioning.models import Vault
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.queries import vaults as queries
from provisioning.services.exports import record_export
from provisioning.services.vaults import VaultGone
from provisioning.views.common import SeeOther, file_answer

_CSV = "text/csv; charset=utf-8"
_TITLES = ("Kind", "What", "Detail", "Repaired")


def found_vault(request: PortalRequest, pk: int) -> Vault:
    """Return the vault of the subscription. Raises ``Http404``."""
    found = queries.find(request.subscription, pk)
    if found is None:
        raise Http404
    return found


@requires(Permission.SEE)
def vault(request: PortalRequest, pk: int) -> HttpResponse:
    """Show a vault's synchronization, its users and sessions, and its comparisons."""
    found = found_vault(request, pk)
    context = {
        "vault": found,
        "status": VaultStatus.objects.filter(vault=found).first(),
        "enabled": vault_users.enabled(found),
        **_comparison(found),
    }
    return render(request, "licensing/_vault.html", context)


@requires(Permission.SEE)
def comparison(request: PortalRequest, pk: int) -> HttpResponse:
    """Show how far a comparison is, or what the last one found."""
    found = found_vault(request, pk)
    return render(request, "licensing/_vault_comparison.html", {"vault": found, **_comparison(found)})


def _comparison(found: Vault) -> dict[str, Any]:
    running = drift.running(found)
    return {
        "running": running,
        "progress": running and drift.progress(running),
        "latest": drift.latest(found),
    }


@requires(Permission.CHANGE_VAULT_RIGHTS)
@require_POST
def compare(request: PortalRequest, vault_pk: int) -> HttpResponse:
    """Have the vault compared now."""
    found = found_vault(request, vault_pk)
    try:
        drift.ask(vault=found, actor=request.actor, at=timezone.now())
    except VaultGone as gone:
        messages.warning(request, str(gone))
        return SeeOther(address(request.subscription, "vaults"))
    except drift.CompareRunning as running:
        messages.warning(request, str(running))
    else:
        messages.success(request, "The comparison begins within seconds. You may leave this page meanwhile.")
    return SeeOther(address(request.subscription, "vault", pk=found.pk) + "#comparison")


@requires(Permission.SEE)
def drift_reports(request: PortalRequest, vault_pk: int) -> HttpResponse:
    """List what the comparisons of the vault found."""
    found = found_vault(request, vault_pk)
    return render(request, "licensing/vault_drift.html", {"vault": found, "reports": list(drift.reports(found))})


@requires(Permission.SEE)
def drift_report(request: PortalRequest, vault_pk: int, pk: int) -> HttpResponse:
    """Show what a comparison found, a page at a time, of one kind or all."""
    report = _report(request, vault_pk, pk)
    kind = request.GET.get("kind", "")
    kind = kind if kind in DriftFinding.Kind.values else ""
    context = {
        "vault": report.vault,
        "report": report,
        "kind": kind,
        "kinds": DriftFinding.Kind.choices,
        "page": drift.findings(report, cursor=request.GET.get("page", ""), kind=kind),
        "most": drift.MOST_FINDINGS,
    }
    return render(request, "licensing/vault_drift_report.html", context)


@requires(Permission.SEE)
def drift_csv(request: PortalRequest, vault_pk: int, pk: int) -> HttpResponseBase:
    """Send what a comparison found."""
    report = _report(request, vault_pk, pk)
    found = DriftFinding.objects.filter(report=report).order_by("pk")
    rows = ((one.get_kind_display(), one.subject, one.detail, "Yes" if one.is_repaired else "No") for one in found)
    record_export(
        subscription=request.subscription,
        what="drift report as CSV",
        narrowed={"vault": [None, report.vault.name]},
        actor=request.actor,
        at=timezone.now(),
    )
    return file_answer(exports.csv_lines(_TITLES, rows), _CSV, f"drift-report-{report.started_at:%Y-%m-%d-%H%M}.csv")


def _report(request: PortalRequest, vault_pk: int, pk: int) -> DriftReport:
    report = drift.reports(found_vault(request, vault_pk)).select_related("vault").filter(pk=pk).first()
    if report is None:
        raise Http404
    return report
