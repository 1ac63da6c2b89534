"""How a subscription fares, in words: what Home says first."""

from datetime import datetime

from django.contrib.humanize.templatetags.humanize import naturaltime

from provisioning.addresses import address
from provisioning.fragments import Notice
from provisioning.models import ProvisioningConfiguration, Subscription
from provisioning.permissions import Permission
from provisioning.queries import configurations as queries
from provisioning.queries import held
from provisioning.queries.health import health
from provisioning.queries.pages import number_words


def contact_words(rows: list[ProvisioningConfiguration]) -> str:
    """Return when an identity provider last called."""
    if not rows:
        return "No provisioning configuration yet"
    calls = [(row.last_contact_at, row.name) for row in rows if row.last_contact_at]
    if not calls:
        return "The identity provider has not called yet"
    at, name = max(calls)
    return f"Last call from {name} {naturaltime(at)}"


def facts(subscription: Subscription, rows: list[ProvisioningConfiguration]) -> list[Notice]:
    """Return the counts of the health banner, for rows of ``configurations``."""
    people = sum(row.users_count for row in rows)  # type: ignore[attr-defined]
    groups = sum(row.groups_count for row in rows)  # type: ignore[attr-defined]
    may = Permission.PROVISIONING
    return [
        Notice(contact_words(rows), address(subscription, "configurations"), "good", may),
        Notice(_counted(people, "provisioned user"), address(subscription, "users"), "good"),
        Notice(_counted(groups, "user group"), address(subscription, "groups"), "good", may),
    ]


def _counted(number: int, what: str) -> str:
    return f"{number_words(number)} {what}{'' if number == 1 else 's'}"


def problems(subscription: Subscription, rows: list[ProvisioningConfiguration], *, now: datetime) -> list[Notice]:
    """Return what is wrong with the configurations, or will be soon."""
    synchronizing = queries.synchronizing_vaults(subscription)
    return [*_held(subscription), *(notice for row in rows for notice in _problems_of(row, synchronizing, now))]


def _held(subscription: Subscription) -> list[Notice]:
    url, may = address(subscription, "held"), Permission.PROVISIONING
    return [Notice(held.words(one), url, "waiting", may) for one in held.holdings(subscription)]


def _problems_of(row: ProvisioningConfiguration, synchronizing: list[str], now: datetime) -> list[Notice]:
    url, may = address(row.subscription, "configuration", pk=row.pk), Permission.PROVISIONING
    fares = health(row, synchronizing, now=now)
    return [
        *(Notice(f"{row.name}: {text}", url, "problem", may) for text in fares.problems),
        *(Notice(f"{row.name}: {text}", url, "waiting", may) for text in fares.warnings),
    ]
