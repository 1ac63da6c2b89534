"""Provisioning configurations as the portal lists them."""

from datetime import datetime

from django.db import connection
from django.db.models import Model, OuterRef, QuerySet, Subquery, Sum
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from provisioning.models import (
    BearerToken,
    CallCount,
    ClientSecret,
    LoginAccount,
    ProvisioningConfiguration,
    ProvisioningLogEntry,
    Subscription,
    UserGroup,
    Vault,
)
from provisioning.queries.health import WINDOW
from provisioning.queries.pages import COUNT_LIMIT
from provisioning.services import bearer_tokens
from provisioning.services.deletion import UNDO


def configurations(subscription: Subscription, *, now: datetime) -> QuerySet[ProvisioningConfiguration]:
    """Return the configurations by name, without those that are deleted.

    Each has ``users_count`` and ``groups_count`` (at most ``COUNT_LIMIT + 1``); of the last hour ``recent_failures``
    (by the log), ``calls_counted`` and ``failures_counted`` (by the counts, which come seconds later);
    ``secret_expires_at``, the expiry of its longest-lived secret that is not being replaced;
    ``bearer_expires_at``, that of its longest-lived bearer token; and ``bearer_ends_at``, the next expiry of one that
    no other has replaced.
    """
    live = ClientSecret.objects.filter(configuration=OuterRef("pk"), revoked_at=None, retires_at=None)
    bearer = BearerToken.objects.filter(configuration=OuterRef("pk"), revoked_at=None)
    ending = bearer_tokens.unreplaced(at=now).filter(configuration=OuterRef("pk"))
    return (
        ProvisioningConfiguration.objects.filter(subscription=subscription, deleted_at=None)
        .select_related("application", "subscription")
        .annotate(
            users_count=_count(LoginAccount, "scim_id IS NOT NULL"),
            groups_count=_count(UserGroup, "deleted_at IS NULL"),
            recent_failures=_recent_failures(now),
            calls_counted=_counted("calls", now),
            failures_counted=_counted("failures", now),
            secret_expires_at=Subquery(live.order_by("-expires_at").values("expires_at")[:1]),
            bearer_expires_at=Subquery(bearer.order_by("-expires_at").values("expires_at")[:1]),
            bearer_ends_at=Subquery(ending.order_by("expires_at").values("expires_at")[:1]),
        )
        .order_by("name", "id")
    )


def find(subscription: Subscription, pk: int, *, now: datetime) -> ProvisioningConfiguration | None:
    return configurations(subscription, now=now).filter(pk=pk).first()


def deleted(subscription: Subscription, *, now: datetime) -> QuerySet[ProvisioningConfiguration]:
    """Return the configurations whose deletion can still be undone, the last one first."""
    rows = ProvisioningConfiguration.objects.filter(subscription=subscription, deleted_at__gt=now - UNDO)
    return rows.order_by("-deleted_at", "-id")


def synchronizing_vaults(subscription: Subscription) -> list[str]:
    """Return the names of the vaults that synchronize their users themselves, which provisioning must not meet."""
    rows = Vault.objects.filter(subscription=subscription, user_synchronization=True)
    return list(rows.order_by("name").values_list("name", flat=True))


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
    """Return the number of calls that the log says failed lately, by the index of failures, counted to the limit."""
    since = connection.ops.adapt_datetimefield_value(now - WINDOW)
    return RawSQL(  # noqa: S611
        f"(SELECT COUNT(*) FROM (SELECT 1 FROM {_table(ProvisioningLogEntry)} AS one"  # noqa: S608
        f" WHERE one.configuration_id = {_table(ProvisioningConfiguration)}.id AND NOT one.is_success"
        " AND one.at > %s LIMIT %s) AS found)",
        [since, COUNT_LIMIT + 1],
    )


def _counted(column: str, now: datetime) -> Coalesce:
    """Return the sum of ``column`` over the minutes of the last hour."""
    minutes = CallCount.objects.filter(configuration=OuterRef("pk"), minute__gt=now - WINDOW).order_by()
    return Coalesce(Subquery(minutes.values("configuration").annotate(sum=Sum(column)).values("sum")), 0)
