"""Held changes as the portal lists them."""

from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from provisioning.models import HeldChange, LoginAccount, ProvisioningConfiguration, Subscription
from provisioning.queries.pages import COUNT_LIMIT, Page, fetch, number_words

_DECIDED_SHOWN: Final = 20
_OPEN = HeldChange.Decision.OPEN
_NUMBER = RawSQL(
    "(SELECT COUNT(*) FROM (SELECT 1 FROM provisioning_heldchange AS h"
    " WHERE h.configuration_id = provisioning_provisioningconfiguration.id AND h.decision = '' LIMIT %s) AS found)",
    [COUNT_LIMIT + 1],
)


@dataclass(frozen=True, slots=True)
class Holding:
    """A configuration some of whose changes are held; ``number`` is counted to ``COUNT_LIMIT + 1`` at most."""

    configuration: ProvisioningConfiguration
    number: int


def open_changes(subscription: Subscription) -> QuerySet[HeldChange]:
    """Return what waits for a decision, with accounts and configurations."""
    return _with_names(HeldChange.objects.filter(subscription=subscription, decision=_OPEN))


def page_of(rows: QuerySet[HeldChange], cursor: str) -> Page[HeldChange]:
    """Return a page, what was asked for first coming first."""
    return fetch(rows, keys=("id",), cursor=cursor)


def decided(subscription: Subscription) -> list[HeldChange]:
    """Return what was decided or taken back last."""
    rows = _with_names(HeldChange.objects.filter(subscription=subscription, decided_at__isnull=False))
    return list(rows.order_by("-decided_at", "-id")[:_DECIDED_SHOWN])


def holdings(subscription: Subscription) -> list[Holding]:
    """Return the configurations of which something is held, by name."""
    rows = ProvisioningConfiguration.objects.filter(subscription=subscription).annotate(held_number=_NUMBER)
    return [Holding(row, row.held_number) for row in rows.filter(held_number__gt=0).order_by("name")]


def words(holding: Holding) -> str:
    """Return how many changes are held, in a sentence."""
    is_one = holding.number == 1
    return (
        f"{number_words(holding.number)} change{'' if is_one else 's'} of {holding.configuration.name} "
        f"{'is' if is_one else 'are'} held: allow or reject {'it' if is_one else 'them'}."
    )


def open_change_of(account: LoginAccount) -> HeldChange | None:
    """Return the change of the account that waits for a decision; no question to the database where none can."""
    if account.intended_active is not False:
        return None
    return HeldChange.objects.select_related("configuration").filter(account=account, decision=_OPEN).first()


def _with_names(rows: QuerySet[HeldChange]) -> QuerySet[HeldChange]:
    return rows.select_related("account", "configuration").defer("account__document", "account__search")
