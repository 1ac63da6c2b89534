"""Filters that another app adds to the lists of this one, without being imported.

An app registers them in its ``ready()``. A filter's name is its parameter in the page's address.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import Q

from provisioning.models import Subscription


@dataclass(frozen=True, slots=True)
class Filter:
    """``narrow`` returns the condition on ``LoginAccount`` for one of the values that ``choices`` offers.

    An index must find the accounts that fit, so that a list with few of them need not look at all others.
    """

    name: str
    label: str
    choices: Callable[[Subscription], Sequence[tuple[str, str]]]
    narrow: Callable[[Subscription, str], Q]


_filters: dict[str, Filter] = {}


def register(added: Filter) -> None:
    """Add a filter to the list of internal users; registering the same name again replaces it."""
    _filters[added.name] = added


def registered() -> list[Filter]:
    """Return the added filters, in the order of registration."""
    return list(_filters.values())


def condition(subscription: Subscription, name: str, value: str) -> Q:
    """Return the condition of one filter. Raises ``KeyError`` when no filter has the name."""
    return _filters[name].narrow(subscription, value)
