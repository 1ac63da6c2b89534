"""Client secrets: how they look, and the keyed digest that is all the database knows (1-product §1.2, rule 5)."""

import re
import secrets
import string
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from oauth2_provider.models import Application

from provisioning.models import ClientSecret, ProvisioningConfiguration
from provisioning.services import peppers
from provisioning.services.peppers import digest
from provisioning.sql import Statement, parameter, run, whole

PREFIX: Final = "mfms_"
PATTERN: Final = r"\bmfm[st]_[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}\b"
"""The regular expression by which leak scanners find a secret (``mfms_``) or a bearer token (``mfmt_``)."""
LIFETIME: Final = timedelta(days=365)
"""How long a secret lives unless another time is chosen."""
LIFETIMES: Final = (timedelta(days=90), timedelta(days=180), LIFETIME)
"""What the portal offers."""
LONGEST_LIFETIME: Final = timedelta(days=730)
_ALPHABET: Final = string.digits + string.ascii_letters
_CHECKSUM_LENGTH: Final = 6


class LifetimeTooLong(Exception):
    """A secret or a bearer token would live for too long, or not at all."""

    def __init__(self) -> None:
        super().__init__("Choose how long it works: longer than 0 and two years at most, such as 365 days.")


def make_secret(prefix: str = PREFIX) -> str:
    """Return a new secret: prefix, 256 bits from the operating system in base64url, and a checksum of 6 characters."""
    body = secrets.token_urlsafe(32)
    return f"{prefix}{body}{_checksum(body)}"


def is_well_formed(text: str) -> bool:
    """Return whether ``text`` is a secret or a token as we make them: of the pattern, with the right checksum.

    A leak scanner that found something by ``PATTERN`` thus knows a true one from one that only looks like it.
    """
    if not re.fullmatch(PATTERN, text, re.ASCII):
        return False
    return _checksum(text[len(PREFIX) : -_CHECKSUM_LENGTH]) == text[-_CHECKSUM_LENGTH:]


def add_secret(
    *,
    configuration: ProvisioningConfiguration,
    lifetime: timedelta = LIFETIME,
    form_id: UUID | None = None,
    at: datetime,
) -> str:
    """Give the configuration one more live secret and return it, the only time that anybody sees it.

    Raises ``LifetimeTooLong``.
    """
    if not timedelta(0) < lifetime <= LONGEST_LIFETIME:
        raise LifetimeTooLong
    secret = make_secret()
    ClientSecret.objects.create(
        configuration=configuration,
        digest=digest(secret),
        pepper_version=peppers.current_version(),
        last_four=secret[-4:],
        created_at=at,
        expires_at=at + lifetime,
        form_id=form_id,
    )
    return secret


def _checksum(body: str) -> str:
    number, text = zlib.crc32(body.encode()), ""
    while number:
        number, rest = divmod(number, len(_ALPHABET))
        text = _ALPHABET[rest] + text
    return text.rjust(_CHECKSUM_LENGTH, "0")


def live_secrets(*, client_id: str, offered: Mapping[str, str], at: datetime) -> list[ClientSecret]:
    """Return the live secrets of an OAuth client that have one of these digests, with configuration and application.

    A wrong secret finds as little as an unknown client, and costs as much. How long the database compares tells
    nothing: whoever does not know the pepper cannot choose a digest.
    """
    digests = ", ".join(["%s"] * len(offered))
    rows = run(Statement(f"{_LIVE} AND digest IN ({digests})", (client_id, *[parameter(at)] * 2, *offered.values())))
    first, second = len(_SECRET.names), _WIDTH
    secrets_of_client = _SECRET.read(row[:first] for row in rows)
    for row, secret in zip(rows, secrets_of_client, strict=True):
        [secret.configuration] = _CONFIGURATION.read([row[first:second]])
        [secret.configuration.application] = _APPLICATION.read([row[second:]])
    return secrets_of_client


def matching_secret(*, client_id: str, secret: str, at: datetime) -> ClientSecret | None:
    """Return the live secret of the client that this is, or None; an unknown client costs as much work as a known one.

    What is returned carries its digest under the current pepper, for ``record_use`` to keep.
    """
    offered, found = peppers.digests(secret), None
    for candidate in live_secrets(client_id=client_id, offered=offered, at=at):
        if peppers.is_same(candidate.digest, candidate.pepper_version, offered):
            found = candidate
    if found is not None:
        found.pepper_version = peppers.current_version()
        found.digest = offered[found.pepper_version]
    return found


def record_use(*, secret: ClientSecret, at: datetime) -> bool:
    """Remember that a token was issued for this secret; return False when the secret has ended meanwhile.

    Whoever ends it just now is waited for, and the row is read anew. The digest becomes one under the current pepper.
    """
    values = [secret.digest, secret.pepper_version, *[parameter(at)] * 3, secret.pk, secret.configuration_id]
    return bool(run(Statement(_USE, values)))


_SECRET, _CONFIGURATION, _APPLICATION = whole(ClientSecret), whole(ProvisioningConfiguration), whole(Application)
_WIDTH = len(_SECRET.names) + len(_CONFIGURATION.names)
_TABLE = "provisioning_clientsecret"
_IS_LIVE = f"""
{_TABLE}.revoked_at IS NULL AND {_TABLE}.expires_at > %s
AND ({_TABLE}.retires_at IS NULL OR {_TABLE}.retires_at > %s)"""
_LIVE = f"""
SELECT {_SECRET.text}, {_CONFIGURATION.text}, {_APPLICATION.text}
FROM oauth2_provider_application
JOIN provisioning_provisioningconfiguration
ON provisioning_provisioningconfiguration.application_id = oauth2_provider_application.id
JOIN provisioning_clientsecret
ON provisioning_clientsecret.configuration_id = provisioning_provisioningconfiguration.id
WHERE client_id = %s AND {_IS_LIVE} AND deleted_at IS NULL"""  # noqa: S608
_USE = f"""
UPDATE {_TABLE} SET digest = %s, pepper_version = %s, last_used_at = %s
WHERE {_IS_LIVE} AND id = %s AND EXISTS (
    SELECT 1 FROM provisioning_provisioningconfiguration AS c WHERE c.id = %s AND c.paused_at IS NULL)
RETURNING id"""  # noqa: S608
