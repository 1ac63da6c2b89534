"""Who calls the SCIM service: one query from the bearer token to the configuration."""

import hashlib
from datetime import datetime, timedelta

from django.db.models import Q

from provisioning.models import ProvisioningConfiguration
from provisioning.services.refusals import record_refusal
from provisioning.sql import Statement, parameter, run, whole

_CONTACT_INTERVAL = timedelta(seconds=15)
"""How exact *last contact* is: a call writes it only when the last one is older, so that calls need not write."""


class TokenUnknown(Exception):
    """No live token of this Tenant URL (RFC 6750 §3.1, ``invalid_token``)."""


class ConfigurationPaused(Exception):
    """An admin has paused ``configuration``, whose token is a good one."""

    def __init__(self, configuration: ProvisioningConfiguration) -> None:
        super().__init__(f"{configuration} is paused")
        self.configuration = configuration


def authenticate(*, token: str, public_id: str, at: datetime) -> ProvisioningConfiguration:
    """Return the configuration whose Tenant URL holds ``public_id`` and whose token this is.

    Plain SQL, because every call pays for it and the ORM would write the same statement anew each time.
    Raises ``TokenUnknown`` for a token that is unknown, expired, another configuration's or a deleted one's;
    ``ConfigurationPaused``.
    """
    stored = checksum(token)
    found = run(Statement(_CONFIGURATION, (stored, parameter(at), public_id)))
    if not found:
        _record_other_tenant_url(stored, at)
        raise TokenUnknown
    [configuration] = _COLUMNS.read(found)
    if configuration.paused_at is not None:
        raise ConfigurationPaused(configuration)
    record_contact(configuration=configuration, at=at)
    return configuration


def checksum(token: str) -> str:
    """Return what the database keeps of a token, which is random: its SHA-256 in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def record_contact(*, configuration: ProvisioningConfiguration, at: datetime) -> None:
    """Remember that the identity provider called, to the nearest 15 seconds, or that it is let in again."""
    last, refused_at = configuration.last_contact_at, configuration.refused_at
    if last is not None and at - last < _CONTACT_INTERVAL and not (refused_at and refused_at >= last):
        return
    rows = ProvisioningConfiguration.objects.filter(pk=configuration.pk)
    fresh = rows.filter(Q(last_contact_at__isnull=True) | Q(last_contact_at__lt=at))
    fresh.update(last_contact_at=at)
    if configuration.first_contact_at is None:
        rows.filter(first_contact_at__isnull=True).update(first_contact_at=at)


def _record_other_tenant_url(stored: str, at: datetime) -> None:
    """Tell the configuration of a live token that it came to a Tenant URL that is not its own."""
    rows = ProvisioningConfiguration.objects.filter(
        application__accesstoken__token_checksum=stored, application__accesstoken__expires__gt=at
    )
    for pk in rows.values_list("pk", flat=True):
        refusal = ProvisioningConfiguration.Refusal.OTHER_TENANT_URL
        record_refusal(configuration_id=pk, refusal=refusal, at=at)


_COLUMNS = whole(ProvisioningConfiguration)
_CONFIGURATION = f"""
SELECT {_COLUMNS.text} FROM provisioning_provisioningconfiguration
JOIN oauth2_provider_accesstoken AS token
ON token.application_id = provisioning_provisioningconfiguration.application_id
WHERE token.token_checksum = %s AND token.expires > %s AND public_id = %s AND deleted_at IS NULL"""  # noqa: S608
