"""The end of access: what was given out opens nothing any more, not even for a call that is on its way.

A SCIM write is accepted when its row in the log is written, in its own transaction: that reads ``access_epoch`` under a
lock (``GATE``), and must find the one that the call came in with. Who ends access takes the opposite lock first, and
thus waits for the writes that were accepted; those behind it find another epoch. A token is issued by the same rule.
"""

from datetime import datetime
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import F
from oauth2_provider.models import AccessToken

from provisioning.models import BearerToken, ClientSecret, ProvisioningConfiguration
from provisioning.sql import Statement, run


class AccessEnded(Exception):
    """Access ended while the call was on its way: the configuration was paused, disconnected or deleted, say."""


class Ended(NamedTuple):
    """What opened a configuration until its access ended, as the audit log names it."""

    client_secrets: list[str]
    bearer_tokens: list[str]
    issuer: str


def locked(configuration: ProvisioningConfiguration) -> ProvisioningConfiguration:
    """Return the row as it is now, after every write that was accepted has been committed; the next ones wait."""
    rows = ProvisioningConfiguration.objects.select_for_update(of=("self",)).select_related("application")
    return rows.get(pk=configuration.pk)


def end_calls(found: ProvisioningConfiguration) -> None:
    """Accept no call that is on its way, though its token may stay. The caller holds the lock of ``locked``."""
    ProvisioningConfiguration.objects.filter(pk=found.pk).update(access_epoch=F("access_epoch") + 1)


def end_tokens(found: ProvisioningConfiguration) -> None:
    """Let every token of the configuration open nothing any more. The caller holds the lock of ``locked``."""
    end_calls(found)
    AccessToken.objects.filter(application_id=found.application_id).delete()


def end_access(found: ProvisioningConfiguration, *, at: datetime) -> Ended:
    """Revoke all secrets and tokens, and trust nobody. The caller holds the lock."""
    secrets = ClientSecret.objects.filter(configuration=found, revoked_at=None).order_by("pk")
    tokens = BearerToken.objects.filter(configuration=found, revoked_at=None).order_by("pk")
    ended = Ended(
        client_secrets=[str(one) for one in secrets if one.is_live(at)],
        bearer_tokens=[str(one) for one in tokens.filter(expires_at__gt=at)],
        issuer=found.issuer,
    )
    secrets.update(revoked_at=at)
    tokens.update(revoked_at=at)
    ProvisioningConfiguration.objects.filter(pk=found.pk).update(issuer="", subject="", audience="")
    end_tokens(found)
    return ended


def is_open(configuration: ProvisioningConfiguration) -> bool:
    """Return whether access has not ended since this instance was read; who ends it just now is waited for."""
    return bool(run(Statement(gate(), (configuration.pk, configuration.access_epoch))))


def gate() -> str:
    """Return the subquery that finds the configuration of an id, unless access has ended since an epoch.

    FOR KEY SHARE is what a foreign key takes anyway: writes do not wait for each other, nor for a changed setting.
    After FOR UPDATE of who ended access it waits and reads the row anew, even if the statement began before.
    """
    return _GATE[connection.vendor]


_SELECT: Final = "SELECT id FROM provisioning_provisioningconfiguration WHERE id = %s AND access_epoch = %s"
_GATE: Final = {"postgresql": f"{_SELECT} FOR KEY SHARE", "sqlite": _SELECT}
