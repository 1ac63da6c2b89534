"""Who calls the SCIM service: one query from the token to the configuration, by each kind of token.

The token endpoint has issued an access token. A bearer token has a prefix of its own. A token in three parts
was signed by Microsoft Entra, and opens a classic configuration only.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Q
from oauth2_provider.models import Application

from provisioning import tenancy
from provisioning.models import BearerToken, ProvisioningConfiguration
from provisioning.services import bearer_tokens, peppers
from provisioning.services.assertions import Untrusted, check, trust_of
from provisioning.services.issuers import IssuerUnreachable
from provisioning.services.refusals import NOBODY, record_refusal
from provisioning.sql import Statement, parameter, run, whole

_CONTACT_INTERVAL = timedelta(seconds=15)
"""How exact *last contact* is: a call writes it only when the last one is older, so that calls need not write."""
PAUSED: Final = "The configuration is paused. An admin of the portal can resume it."
_Refusal = ProvisioningConfiguration.Refusal


class TokenUnknown(Exception):
    """No live token of this Tenant URL (RFC 6750 §3.1, ``invalid_token``)."""


class ConfigurationPaused(Exception):
    """An admin has paused ``configuration``, whose token is a good one."""

    def __init__(self, configuration: ProvisioningConfiguration) -> None:
        super().__init__(PAUSED)
        self.configuration = configuration


class IssuerSilent(Exception):
    """Whether a token is a good one cannot be known now, for the keys of its issuer cannot be read."""


def authenticate(*, token: str, public_id: str, at: datetime) -> ProvisioningConfiguration:
    """Return the configuration whose Tenant URL holds ``public_id`` and whose token this is.

    Plain SQL, because every call pays for it and the ORM would write the same statement anew each time.
    Raises ``TokenUnknown`` for a token that is unknown, expired, another configuration's or a deleted one's;
    ``ConfigurationPaused``; ``IssuerSilent``.
    """
    if token.startswith(bearer_tokens.PREFIX):
        configuration = _by_bearer_token(token, public_id, at)
    elif token.count(".") == 2:  # noqa: PLR2004  header, claims and signature (RFC 7515 §3.1)
        configuration = _by_signed_token(token, public_id, at)
    else:
        configuration = _by_access_token(token, public_id, at)
    if configuration.paused_at is not None:
        raise ConfigurationPaused(configuration)
    record_contact(configuration=configuration, at=at)
    return configuration


def trusting_configuration(*, client_id: str, assertion: str, at: datetime) -> ProvisioningConfiguration | None:
    """Return the configuration of the client, with its application, if it trusts the assertion (RFC 7523 §2.2).

    Raises ``IssuerSilent``.
    """
    configuration = _of_client(client_id)
    if configuration is None:
        return None
    refusal = _distrust(configuration, assertion, at)
    _raise_silence(configuration, refusal, at)
    return None if refusal else configuration


def record_refused_assertion(*, client_id: str, assertion: str, at: datetime) -> None:
    """Remember why this assertion opens nothing. An unknown client is nobody's, and costs as many statements."""
    configuration = _of_client(client_id)
    if configuration is None:
        record_refusal(configuration_id=NOBODY, refusal=_Refusal.UNTRUSTED_TOKEN, at=at)
    elif refusal := _distrust(configuration, assertion, at):
        record_refusal(configuration_id=configuration.pk, refusal=refusal, at=at)


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


def _of_client(client_id: str) -> ProvisioningConfiguration | None:
    found = run(Statement(_OF_CLIENT, (client_id,)))
    if not found:
        return None
    [row] = found
    [configuration] = _COLUMNS.read([row[: len(_COLUMNS.names)]])
    [configuration.application] = _APPLICATION.read([row[len(_COLUMNS.names) :]])
    return configuration


def _distrust(
    configuration: ProvisioningConfiguration, signed: str, at: datetime
) -> ProvisioningConfiguration.Refusal | None:
    """Return why the signed token opens nothing of the configuration, or None when it does."""
    trust = trust_of(configuration)
    if trust is None:
        return _Refusal.UNTRUSTED_TOKEN
    try:
        check(signed, trust, at=at)
    except Untrusted:
        return _Refusal.UNTRUSTED_TOKEN
    except IssuerUnreachable:
        return _Refusal.ISSUER_SILENT
    return None


def _raise_silence(
    configuration: ProvisioningConfiguration, refusal: ProvisioningConfiguration.Refusal | None, at: datetime
) -> None:
    """Raise ``IssuerSilent``, and tell the configuration, if that is why its token was refused.

    To answer that the token is wrong would make an identity provider give up, and count as its fault.
    """
    if refusal == _Refusal.ISSUER_SILENT:
        record_refusal(configuration_id=configuration.pk, refusal=refusal, at=at)
        raise IssuerSilent


def _by_access_token(token: str, public_id: str, at: datetime) -> ProvisioningConfiguration:
    """The statement tells the database whose rows are meant from here on, so that no other one need (decision 25)."""
    stored = checksum(token)
    with tenancy.told_by_statement():
        found = run(Statement(_OF_ACCESS_TOKEN[connection.vendor], (public_id, stored, parameter(at))))
        configurations = _COLUMNS.read(found)
    tenancy.note(configurations[0].subscription_id if found else None)
    if not found:
        _record_other_tenant_url(stored, at)
        raise TokenUnknown
    return configurations[0]


def _by_bearer_token(token: str, public_id: str, at: datetime) -> ProvisioningConfiguration:
    """Find the token by its digest under each pepper; the one that is in use gets a digest under the current one."""
    digests = peppers.digests(token)
    marks = ", ".join(["%s"] * len(digests))
    values = [*digests.values(), parameter(at), public_id]
    found = run(Statement(_OF_BEARER_TOKEN.format(marks=marks), values))
    if not found:
        _record_refused_bearer_token(list(digests.values()), public_id, at)
        raise TokenUnknown
    [row] = found
    [bearer] = _BEARER.read([row[: len(_BEARER.names)]])
    [configuration] = _COLUMNS.read([row[len(_BEARER.names) :]])
    if bearer.last_used_at is None or at - bearer.last_used_at >= _CONTACT_INTERVAL:
        current = digests[peppers.current_version()]
        BearerToken.objects.filter(pk=bearer.pk).update(last_used_at=at, digest=current)
    return configuration


def _by_signed_token(token: str, public_id: str, at: datetime) -> ProvisioningConfiguration:
    found = run(Statement(_CLASSIC, (public_id,)))
    if not found:
        raise TokenUnknown
    [configuration] = _COLUMNS.read(found)
    refusal = _distrust(configuration, token, at)
    _raise_silence(configuration, refusal, at)
    if refusal:
        record_refusal(configuration_id=configuration.pk, refusal=refusal, at=at)
        raise TokenUnknown
    return configuration


def _record_other_tenant_url(stored: str, at: datetime) -> None:
    """Tell the configuration of a live token that it came to a Tenant URL that is not its own."""
    rows = ProvisioningConfiguration.objects.filter(
        application__accesstoken__token_checksum=stored, application__accesstoken__expires__gt=at
    )
    for pk in rows.values_list("pk", flat=True):
        record_refusal(configuration_id=pk, refusal=_Refusal.OTHER_TENANT_URL, at=at)


def _record_refused_bearer_token(digests: list[str], public_id: str, at: datetime) -> None:
    """Tell the configuration of a bearer token that was once good why it opens nothing."""
    bearer = BearerToken.objects.filter(digest__in=digests).select_related("configuration").first()
    if bearer is None:
        return
    refusals = {BearerToken.State.REVOKED: _Refusal.REVOKED_TOKEN, BearerToken.State.EXPIRED: _Refusal.EXPIRED_TOKEN}
    refusal = refusals.get(bearer.state(at))
    if refusal is None and bearer.configuration.public_id != public_id:
        refusal = _Refusal.OTHER_TENANT_URL
    if refusal is not None:
        record_refusal(configuration_id=bearer.configuration_id, refusal=refusal, at=at)


_COLUMNS, _APPLICATION, _BEARER = whole(ProvisioningConfiguration), whole(Application), whole(BearerToken)
_TABLE = "provisioning_provisioningconfiguration"
_CALLED = {
    "postgresql": f"mfmanage_enter(%s) AS {_TABLE}",
    "sqlite": f"(SELECT * FROM {_TABLE} WHERE public_id = %s) AS {_TABLE}",  # noqa: S608
}
_OF_ACCESS_TOKEN = {
    vendor: f"""
SELECT {_COLUMNS.text} FROM {called}
JOIN oauth2_provider_accesstoken AS token ON token.application_id = {_TABLE}.application_id
WHERE token.token_checksum = %s AND token.expires > %s AND deleted_at IS NULL"""  # noqa: S608
    for vendor, called in _CALLED.items()
}
_OF_BEARER_TOKEN = f"""
SELECT {_BEARER.text}, {_COLUMNS.text} FROM provisioning_bearertoken
JOIN {_TABLE} ON {_TABLE}.id = provisioning_bearertoken.configuration_id
WHERE digest IN ({{marks}}) AND revoked_at IS NULL AND expires_at > %s AND public_id = %s
AND deleted_at IS NULL AND kind = '{ProvisioningConfiguration.Kind.OTHER}'"""  # noqa: S608
_CLASSIC = f"""
SELECT {_COLUMNS.text} FROM {_TABLE}
WHERE public_id = %s AND deleted_at IS NULL AND kind = '{ProvisioningConfiguration.Kind.CLASSIC}'"""  # noqa: S608
_OF_CLIENT = f"""
SELECT {_COLUMNS.text}, {_APPLICATION.text} FROM {_TABLE}
JOIN oauth2_provider_application ON oauth2_provider_application.id = {_TABLE}.application_id
WHERE client_id = %s AND deleted_at IS NULL AND kind <> '{ProvisioningConfiguration.Kind.CLASSIC}'"""  # noqa: S608
