"""Filters that another app adds to the lists of this one, without being imported.

An app registers them in its ``ready()``. A filter's name is its parameter in the page's address.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from provisioning.models import Subscription


@dataclass(frozen=True, slots=True)
class Filter:
    """``fitting`` returns the ids of the accounts that fit one of the values that ``choices`` offers.

    It is a query of one column, whose rows an index finds: the list counts it to know whether few or many fit.
    """

    name: str
    label: str
    choices: Callable[[Subscription], Sequence[tuple[str, str]]]
    fitting: Callable[[Subscription, str], QuerySet[Any, Any]]


_filters: dict[str, Filter] = {}


def register(added: Filter) -> None:
    """Add a filter to the list of internal users; registering the same name again replaces it."""
    _filters[added.name] = added


def registered() -> list[Filter]:
    """Return the added filters, in the order of registration."""
    return list(_filters.values())


def fitting(subscription: Subscription, name: str, value: str) -> QuerySet[Any, Any]:
    """Return the ids of the accounts that fit one filter. Raises ``KeyError`` when no filter has the name."""
    return _filters[name].fitting(subscription, value)
