"""Provisioning configurations as the portal lists them, and how they fare."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.template.defaultfilters import date as format_date

from provisioning.columns import Cell
from provisioning.models import (
    ClientSecret,
    LoginAccount,
    ProvisioningConfiguration,
    ProvisioningLogEntry,
    Subscription,
    UserGroup,
    Vault,
)
from provisioning.queries.pages import COUNT_LIMIT

FAILURE_WINDOW: Final = timedelta(hours=1)
"""How far back failed calls are spoken of, among the last ``_RECENT_CALLS`` of a configuration."""
EXPIRY_WARNING: Final = timedelta(days=30)
"""How long before its expiry a secret is spoken of."""
_RECENT_CALLS: Final = 200


@dataclass(frozen=True, slots=True)
class Health:
    """A configuration's state in a word; what stops it and what is worth a look, in sentences."""

    state: Cell
    problems: list[str]
    warnings: list[str]


def configurations(subscription: Subscription, *, now: datetime) -> QuerySet[ProvisioningConfiguration]:
    """Return the configurations by name.

    Each has ``users_count`` and ``groups_count`` (at most ``COUNT_LIMIT + 1``), ``recent_failures``, and
    ``secret_expires_at``, the expiry of its longest-lived secret.
    """
    live = ClientSecret.objects.filter(configuration=OuterRef("pk"), revoked_at=None).order_by("-expires_at")
    return (
        ProvisioningConfiguration.objects.filter(subscription=subscription)
        .select_related("application", "subscription")
        .annotate(
            users_count=_count(LoginAccount, "scim_id IS NOT NULL"),
            groups_count=_count(UserGroup, "deleted_at IS NULL"),
            recent_failures=_recent_failures(now),
            secret_expires_at=Subquery(live.values("expires_at")[:1]),
        )
        .order_by("name", "id")
    )


def find(subscription: Subscription, pk: int, *, now: datetime) -> ProvisioningConfiguration | None:
    return configurations(subscription, now=now).filter(pk=pk).first()


def live_secrets(configuration: ProvisioningConfiguration) -> list[ClientSecret]:
    """Return the secrets that are not revoked, newest first."""
    return list(configuration.secrets.filter(revoked_at=None).order_by("-id"))


def synchronizing_vaults(subscription: Subscription) -> list[str]:
    """Return the names of the vaults that synchronize their users themselves, which provisioning must not meet."""
    rows = Vault.objects.filter(subscription=subscription, user_synchronization=True)
    return list(rows.order_by("name").values_list("name", flat=True))


def health(configuration: ProvisioningConfiguration, synchronizing: list[str], *, now: datetime) -> Health:
    """Return how a row of ``configurations`` fares; ``synchronizing`` is what ``synchronizing_vaults`` returned."""
    problems, warnings = _problems(configuration, synchronizing, now), _warnings(configuration, now)
    if configuration.paused_at:
        state = Cell("Paused", "waiting")
    elif problems:
        state = Cell("Problem", "problem", problems[0])
    elif configuration.first_contact_at is None:
        state = Cell("Waiting for first contact", "waiting")
    else:
        state = Cell("Connected", "good", warnings[0] if warnings else "")
    return Health(state, problems, warnings)


def _problems(configuration: ProvisioningConfiguration, synchronizing: list[str], now: datetime) -> list[str]:
    problems = []
    if synchronizing:
        problems.append(
            f"User synchronization is on in {', '.join(synchronizing)}. Turn it off in M-Files Admin: "
            "two sources must not manage the same users."
        )
    expires_at = configuration.secret_expires_at  # type: ignore[attr-defined]
    if expires_at is None or expires_at <= now:
        problems.append("The client secret has expired: the identity provider gets no token any more.")
    return problems


def _warnings(configuration: ProvisioningConfiguration, now: datetime) -> list[str]:
    warnings = []
    if configuration.paused_at:
        warnings.append("It is paused: the calls of the identity provider are refused until somebody resumes it.")
    if failures := configuration.recent_failures:  # type: ignore[attr-defined]
        calls = "1 call" if failures == 1 else f"{failures} calls"
        warnings.append(f"{calls} of the identity provider failed in the last hour. See the log for the reasons.")
    expires_at: datetime | None = configuration.secret_expires_at  # type: ignore[attr-defined]
    if expires_at and now < expires_at <= now + EXPIRY_WARNING:
        warnings.append(f"The client secret expires on {format_date(expires_at, 'j F Y')}.")
    return warnings


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001


def _count(model: type[Model], condition: str) -> RawSQL:
    """Return the number of rows of ``model`` that belong to the configuration, counted no further than it is said."""
    return RawSQL(  # noqa: S611
        f"(SELECT COUNT(*) FROM (SELECT 1 FROM {_table(model)} AS one"  # noqa: S608
        f" WHERE one.configuration_id = {_table(ProvisioningConfiguration)}.id AND one.{condition} LIMIT %s) AS found)",
        [COUNT_LIMIT + 1],
    )


def _recent_failures(now: datetime) -> RawSQL:
    """Return the number of failures among the configuration's last calls, by its index and never over the whole log."""
    since = connection.ops.adapt_datetimefield_value(now - FAILURE_WINDOW)
    return RawSQL(  # noqa: S611
        "(SELECT COUNT(*) FROM (SELECT one.is_success, one.at"  # noqa: S608
        f" FROM {_table(ProvisioningLogEntry)} AS one"
        f" WHERE one.configuration_id = {_table(ProvisioningConfiguration)}.id ORDER BY one.id DESC LIMIT %s) AS recent"
        " WHERE NOT recent.is_success AND recent.at > %s)",
        [_RECENT_CALLS, since],
    )
