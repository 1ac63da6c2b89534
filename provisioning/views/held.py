"""Held changes: what the protection against accidents keeps back, and the decision about it."""

from collections import Counter
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from provisioning.addresses import address
from provisioning.held_forms import DecisionForm
from provisioning.models import HeldChange, Subscription
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.queries import held as queries
from provisioning.queries.configurations import configurations
from provisioning.queries.pages import COUNT_LIMIT, number_words
from provisioning.services import held as services
from provisioning.services.protection import limits
from provisioning.views.common import SeeOther

_NAMED = 20
"""How many users the page that asks first names."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The changes to decide about, ``COUNT_LIMIT`` of them at most; ``last`` is the id of the newest one."""

    changes: list[HeldChange]
    kinds: Counter[str]

    @property
    def ids(self) -> list[int]:
        return [change.pk for change in self.changes]

    @property
    def last(self) -> int:
        return self.changes[-1].pk


@requires(Permission.PROVISIONING)
def held(request: PortalRequest) -> HttpResponse:
    """List what is held, a page at a time, with what was decided last below it."""
    subscription = request.subscription
    page = queries.page_of(queries.open_changes(subscription), request.GET.get("page", ""))
    allowed = limits(subscription)
    context = {
        "page": page,
        "holdings": queries.holdings(subscription),
        "limits": [(row, allowed[row.pk]) for row in configurations(subscription, now=timezone.now())],
        "decided": queries.decided(subscription),
    }
    return render(request, "provisioning/held.html", context)


@requires(Permission.PROVISIONING)
def held_decide(request: PortalRequest) -> HttpResponse:
    """Say how many changes there are to decide about, and what a decision will do; a POST decides."""
    form = DecisionForm(request.POST if request.method == "POST" else request.GET, subscription=request.subscription)
    if not form.is_valid():
        messages.warning(request, "Nothing was chosen. Select at least one change, then allow or reject it.")
        return SeeOther(address(request.subscription, "held"))
    chosen = _chosen(form.narrowed(queries.open_changes(request.subscription)))
    if request.method == "POST" or not chosen.changes:
        _decide(request, form, chosen)
        return SeeOther(address(request.subscription, "held"))
    context = {
        "form": form,
        "picked": chosen,
        "named": chosen.changes[:_NAMED],
        "more": len(chosen.changes) - _NAMED,
        "allows": form.allows,
        "licenses": _licenses(request.subscription),
    }
    return render(request, "provisioning/held_decide.html", context)


def _chosen(rows: QuerySet[HeldChange]) -> Chosen:
    changes = list(rows.order_by("pk")[:COUNT_LIMIT])
    return Chosen(changes, Counter(change.kind for change in changes))


def _decide(request: PortalRequest, form: DecisionForm, chosen: Chosen) -> None:
    """Allow or reject, and say what has become of it."""
    deed = services.allow if form.allows else services.reject
    try:
        outcome = deed(subscription=request.subscription, ids=chosen.ids, actor=request.actor, at=timezone.now())
    except services.NothingHeld as error:
        messages.warning(request, str(error))
        return
    if number := outcome.decided:
        word = "allowed" if form.allows else "rejected"
        messages.success(request, f"{number_words(number)} change{' is' if number == 1 else 's are'} {word}.")
    for sentence in outcome.kept_words():
        messages.warning(request, sentence)


def _licenses(subscription: Subscription) -> str:
    """Return what becomes of the licenses of who is disabled."""
    policy = Subscription.ReleasePolicy(subscription.release_policy)
    return _LICENSES[policy].format(subscription.release_after_days)


_LICENSES = {
    Subscription.ReleasePolicy.KEEP: "They keep their licenses.",
    Subscription.ReleasePolicy.AT_ONCE: "Their licenses are released at once.",
    Subscription.ReleasePolicy.AFTER_DAYS: "Their licenses are released after {} days.",
}
