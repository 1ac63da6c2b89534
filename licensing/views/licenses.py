"""The Licenses page: pools, queue, policies and history; and ordering more or fewer licenses."""

from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from licensing.forms import HistoryFilter, PurchaseForm, QueueFilter
from licensing.services import history, overview, pools, previews, queue
from licensing.services.overview import PoolView
from licensing.views import charts
from licensing.views.previewing import look
from provisioning import exports
from provisioning.addresses import address
from provisioning.license_types import LICENSED_TYPES, LicenseType
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.services.exports import record_export
from provisioning.views.common import SeeOther, file_answer

_CSV = "text/csv; charset=utf-8"
_HISTORY_TITLES = ("Day", "License type", "Purchased", "Granted", "Waiting", "In use")


@requires(Permission.SEE_LICENSES)
def licenses(request: PortalRequest) -> HttpResponse:
    """Show the pools, who waits, the policies, and how the numbers went."""
    rows, days = overview.pools(request.subscription), _days(request)
    drawn = charts.draw(history.series(request.subscription, rows, now=timezone.now(), days=days))
    license_type = _queue_type(request, rows)
    page, waiters = queue.page_of(queue.waiting(request.subscription, license_type), request.GET.get("page", ""))
    context = {
        "rows": list(zip(rows, drawn, strict=True)),
        "days": days,
        "choices": HistoryFilter.CHOICES,
        "form": QueueFilter(initial={"type": int(license_type)}),
        "queue": next(row for row in rows if row.license_type is license_type),
        "page": page,
        "waiters": waiters,
    }
    return render(request, "licensing/licenses.html", context)


@requires(Permission.ORDER_LICENSES)
def order(request: PortalRequest) -> HttpResponse:
    """Ask for the purchased numbers; the address may bring those that were typed before."""
    known = {license_type.slug: number for license_type, number in pools.purchased(request.subscription).items()}
    typed = {slug: request.GET[slug] for slug in known if slug in request.GET}
    return render(request, "licensing/order.html", {"form": PurchaseForm(initial={**known, **typed})})


@requires(Permission.ORDER_LICENSES)
def order_preview(request: PortalRequest) -> HttpResponse:
    """Say what other purchased numbers will do; a POST changes them."""
    form = PurchaseForm(request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        return render(request, "licensing/order.html", {"form": form}, status=422)
    if request.method == "POST":
        return _ordered(request, form)
    before, purchases = pools.purchased(request.subscription), form.purchases()
    preview = partial(previews.purchased, subscription=request.subscription, purchases=purchases, at=timezone.now())
    context = {
        "form": form,
        "numbers": [(one, before[one], purchases[one]) for one in LICENSED_TYPES],
        "is_changed": before != purchases,
        **look(request, preview),
    }
    return render(request, "licensing/order_preview.html", context)


def _ordered(request: PortalRequest, form: PurchaseForm) -> HttpResponse:
    pools.set_purchased(
        subscription=request.subscription, purchases=form.purchases(), actor=request.actor, at=timezone.now()
    )
    messages.success(request, "The purchased numbers are changed. Workers look at who waits.")
    return SeeOther(address(request.subscription, "licenses"))


@requires(Permission.SEE_LICENSES)
def history_csv(request: PortalRequest) -> HttpResponseBase:
    """Send the daily numbers of the shown period."""
    now, days = timezone.now(), _days(request)
    found = history.series(request.subscription, overview.pools(request.subscription), now=now, days=days)
    rows = (
        (day.day.isoformat(), license_type.label, day.purchased, day.granted, day.waiting, day.in_use)
        for license_type, series in found.items()
        for day in series
    )
    _record(request, "license history as CSV", "days", days)
    return file_answer(exports.csv_lines(_HISTORY_TITLES, rows), _CSV, "license-history.csv")


@requires(Permission.SEE_LICENSES)
def queue_csv(request: PortalRequest) -> HttpResponseBase:
    """Send everybody who waits for a license of the shown type."""
    license_type = _queue_type(request, overview.pools(request.subscription))
    waiters = queue.everybody(queue.waiting(request.subscription, license_type))
    _record(request, "waiting queue as CSV", "type", license_type.label)
    return file_answer(exports.csv_lines(queue.TITLES, map(queue.cells, waiters)), _CSV, "waiting-queue.csv")


def _record(request: PortalRequest, what: str, field: str, value: int | str) -> None:
    record_export(
        subscription=request.subscription,
        what=what,
        narrowed={field: [None, value]},
        actor=request.actor,
        at=timezone.now(),
    )


def _days(request: PortalRequest) -> int:
    form = HistoryFilter(request.GET)
    chosen: int | None = form.cleaned_data["days"] if form.is_valid() else None
    return chosen or HistoryFilter.USUAL


def _queue_type(request: PortalRequest, rows: list[PoolView]) -> LicenseType:
    """Return the type that the address asks for, or the highest one for which anybody waits."""
    form = QueueFilter(request.GET)
    chosen: LicenseType | None = form.cleaned_data["type"] if form.is_valid() else None
    waited_for = (row.license_type for row in rows if row.waiting)
    return chosen or next(waited_for, LICENSED_TYPES[0])
