"""Whether audit logs are as they were written: each entry against its digest, its number and what stands before it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from itertools import islice
from operator import or_
from typing import Final

import structlog
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from provisioning.models import AuditEntry, AuditHead, Subscription
from provisioning.services import audit_chain, audit_warnings
from provisioning.services.audit_heads import ExportedHead, HeadsUnreadable, read

_PAGE: Final = 2_000
_HEADS: Final = 200
_TOLD: Final = 100
"""How many differences of one subscription are told; all are counted."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it was written: ``number`` is the entry where it shows."""

    subscription: str
    number: int
    what: str


@dataclass(slots=True, kw_only=True)
class Result:
    """What a check of one audit log, or of its exported heads, came to; the first ``differences`` are told.

    ``entries`` is how many entries, or heads, were looked at.
    """

    subscription: str
    entries: int = 0
    count: int = 0
    differences: list[Difference] = field(default_factory=list)

    def add(self, found: Difference) -> None:
        self.count += 1
        if len(self.differences) < _TOLD:
            self.differences.append(found)


def verify(subscription: Subscription) -> Result:
    """Read the whole audit log of a subscription, a page at a time, and compare it with its chain and its head.

    Entries that are appended meanwhile are left to the next time.
    """
    result = Result(subscription=subscription.number)
    entries = AuditEntry.objects.filter(subscription=subscription)
    beyond = entries.filter(number__gt=OuterRef("number"))
    head = AuditHead.objects.filter(pk=subscription.pk).annotate(has_more=Exists(beyond)).first()
    if head is None:
        if not entries.exists():
            return result
        result.add(Difference(result.subscription, 0, "The head of the chain is missing."))
    walk = _Walk(result)
    for entry in _pages(entries if head is None else entries.filter(number__lte=head.number)):
        walk.take(entry)
    if head is not None:
        walk.end(head.number, head.digest)
        if head.has_more:
            what = f"Entries stand after entry {head.number}, where the log ends."
            result.add(Difference(result.subscription, head.number + 1, what))
    return result


def verify_and_note(subscription: Subscription, heads: Result | None, at: datetime) -> Result:
    """Do as ``verify``; the page of the audit log says when that was, and people are told what came of it.

    ``heads`` is what ``verify_heads`` found of the subscription, which counts as much.
    """
    result = verify(subscription)
    both = [result, heads] if heads else [result]
    count = sum(one.count for one in both)
    rows = AuditHead.objects.filter(pk=subscription.pk)
    rows.update(verified_at=at, verified_number=result.entries, differences=count)
    found = [difference.what for one in both for difference in one.differences]
    audit_warnings.keep_up(subscription=subscription, found=found, count=count, at=at)
    return result


def verify_all(at: datetime) -> None:
    """Check every audit log, and the exported heads; what differs is an error in the log of the process, too."""
    heads = _exported_heads()
    for result in heads.values():
        _log(result)
    for subscription in Subscription.objects.order_by("pk").iterator():
        _log(verify_and_note(subscription, heads.get(subscription.pk), at))


def verify_heads(exported: Iterable[ExportedHead], only: Subscription | None = None) -> dict[int, Result]:
    """Compare exported heads with the entries that they name, some at a time; an entry that is gone was cut off.

    Returns what came of it by the id of the subscription.
    """
    results: dict[int, Result] = {}
    wanted = (head for head in exported if only is None or head.subscription_id == only.pk)
    while heads := list(islice(wanted, _HEADS)):
        named = reduce(or_, (Q(subscription=head.subscription_id, number=head.number) for head in heads))
        rows = AuditEntry.objects.filter(named).values_list("subscription_id", "number", "digest")
        found = {(subscription, number): digest for subscription, number, digest in rows}
        for head in heads:
            result = results.setdefault(head.subscription_id, Result(subscription=head.subscription))
            result.entries += 1
            if what := _head_problem(head, found.get((head.subscription_id, head.number))):
                result.add(Difference(head.subscription, head.number, what))
    return results


def _head_problem(head: ExportedHead, digest: str | None) -> str:
    """Return what is wrong with the entry of an exported head, which has that digest; None: it is gone."""
    if digest is None:
        return f"The log ended with entry {head.number} on {head.at}, and now there is no such entry."
    return "" if digest == head.digest else f"Entry {head.number} is not the one with which the log ended on {head.at}."


def _exported_heads() -> dict[int, Result]:
    """Check the installation's own file; what is wrong with that itself keeps nobody from checking the logs."""
    if not settings.AUDIT_HEADS.exists():
        return {}
    try:
        return verify_heads(read(settings.AUDIT_HEADS))
    except HeadsUnreadable as error:
        log.error("exported heads cannot be read", reason=f"{error}")  # noqa: TRY400 - the sentence says it all
        return {}


def _log(result: Result) -> None:
    for one in result.differences:
        log.error("audit log differs", subscription=one.subscription, number=one.number, what=one.what)


def unverified(entries: Sequence[AuditEntry]) -> set[int]:
    """Return the numbers of those entries of one subscription that do not follow the entry before them."""
    if not entries:
        return set()
    before = {entry.number - 1 for entry in entries} - {0}
    rows = AuditEntry.objects.filter(subscription=entries[0].subscription_id, number__in=before)
    digests = {0: "", **dict(rows.values_list("number", "digest"))}
    return {entry.number for entry in entries if _problem(entry, digests.get(entry.number - 1))}


class _Walk:
    """Goes along a chain, entry by entry; behind a gap or a false digest it goes on with what stands there."""

    def __init__(self, result: Result) -> None:
        self.result = result
        self.last = 0
        self.digest: str | None = ""
        """The digest of the last entry; None: the entry before the next one is missing, so that one is not compared."""

    def take(self, entry: AuditEntry) -> None:
        self.result.entries += 1
        if entry.number <= self.last:
            self._differs(entry.number, f"There is an entry {entry.number} too many.")
            return
        self._miss(entry.number - 1)
        if self.digest is not None and (problem := _problem(entry, self.digest)):
            self._differs(entry.number, problem)
        self.last, self.digest = entry.number, entry.digest

    def end(self, number: int, digest: str) -> None:
        """Compare with the head."""
        self._miss(number)
        if self.digest is not None and self.digest != digest:
            self._differs(number, f"The head of the chain does not fit entry {number}.")

    def _miss(self, until: int) -> None:
        if self.last < until:
            first = self.last + 1
            entries = f"Entry {first} is" if first == until else f"Entries {first} to {until} are"
            self._differs(first, f"{entries} missing.")
            self.last, self.digest = until, None

    def _differs(self, number: int, what: str) -> None:
        self.result.add(Difference(self.result.subscription, number, what))


def _problem(entry: AuditEntry, previous: str | None) -> str:
    """Return what is wrong with the entry after the one of that digest; None: the entry before it is missing."""
    if previous is None:
        return f"Entry {entry.number - 1} is missing."
    try:
        is_same = audit_chain.digest(entry, previous) == entry.digest
    except audit_chain.KeyUnknown:
        return f"Entry {entry.number} is under a key that is not here; name its pepper in MFMANAGE_PEPPER_PREVIOUS."
    return "" if is_same else f"Entry {entry.number} is not what was written there."


def _pages(entries: QuerySet[AuditEntry]) -> Iterator[AuditEntry]:
    rows = entries.order_by("number", "pk")
    page = list(rows[:_PAGE])
    while page:
        yield from page
        last = page[-1]
        beyond = Q(number__gt=last.number) | Q(number=last.number, pk__gt=last.pk)
        page = list(rows.filter(beyond, number__gte=last.number)[:_PAGE])
