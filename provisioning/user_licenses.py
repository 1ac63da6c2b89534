"""What licensing tells of accounts for a file of users, and does for one, without being imported.

Licensing registers itself in its ``ready()``, as it does with the columns and fragments of pages.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from provisioning.actor import Actor
from provisioning.license_types import LicenseType
from provisioning.models import Subscription


class Choose(Protocol):
    """Give accounts a license type as a person's choice: that of manual ones, pinned to provisioned ones."""

    def __call__(
        self,
        *,
        subscription: Subscription,
        account_ids: Iterable[int],
        license_type: LicenseType,
        actor: Actor,
        at: datetime,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Licensing:
    """``types``, ``vaults`` and ``linked`` answer for a page of accounts with one query; who is left out has none.

    ``types`` are what accounts want while they are enabled, ``vaults`` the names of those that they are enabled in or
    were given by an admin, ``linked`` the names of those that links want them in.
    """

    types: Callable[[Sequence[int]], Mapping[int, LicenseType]]
    vaults: Callable[[Sequence[int]], Mapping[int, Sequence[str]]]
    linked: Callable[[Sequence[int]], Mapping[int, Sequence[str]]]
    choose: Choose


_registered: list[Licensing] = []


def register(licensing: Licensing) -> None:
    _registered[:] = [licensing]


def registered() -> Licensing:
    """Return the one that is registered; an installation always has it."""
    return _registered[0]
