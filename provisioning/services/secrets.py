"""Client secrets: how they look, and the keyed digest that is all the database knows (1-product §1.2, rule 5)."""

import hashlib
import hmac
import secrets
import string
import zlib
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from oauth2_provider.models import Application

from provisioning.models import ClientSecret, ProvisioningConfiguration
from provisioning.sql import Statement, execute, parameter, run, whole

PREFIX: Final = "mfms_"
LIFETIME: Final = timedelta(days=365)
_ALPHABET: Final = string.digits + string.ascii_letters
_CHECKSUM_LENGTH: Final = 6


def make_secret() -> str:
    """Return a new secret: prefix, 256 bits from the operating system in base64url, and a checksum of 6 characters."""
    body = secrets.token_urlsafe(32)
    return f"{PREFIX}{body}{_checksum(body)}"


def digest(secret: str) -> str:
    """Return the HMAC-SHA-256 of ``secret`` under the installation's pepper, in hexadecimal (64 characters).

    A random secret of 256 bits needs no slow hash, and a slow one would let anybody exhaust the server.
    """
    return hmac.new(settings.PEPPER.encode(), secret.encode(), hashlib.sha256).hexdigest()


def add_secret(*, configuration: ProvisioningConfiguration, at: datetime) -> str:
    """Give the configuration one more live secret and return it, the only time that anybody sees it."""
    secret = make_secret()
    ClientSecret.objects.create(
        configuration=configuration,
        digest=digest(secret),
        last_four=secret[-4:],
        created_at=at,
        expires_at=at + LIFETIME,
    )
    return secret


def _checksum(body: str) -> str:
    number, text = zlib.crc32(body.encode()), ""
    while number:
        number, rest = divmod(number, len(_ALPHABET))
        text = _ALPHABET[rest] + text
    return text.rjust(_CHECKSUM_LENGTH, "0")


def live_secrets(*, client_id: str, at: datetime) -> list[ClientSecret]:
    """Return the live secrets of an OAuth client, with its configuration and application, by one statement."""
    rows, first, second = run(Statement(_LIVE, (client_id, parameter(at)))), len(_SECRET.names), _WIDTH
    secrets_of_client = _SECRET.read(row[:first] for row in rows)
    for row, secret in zip(rows, secrets_of_client, strict=True):
        [secret.configuration] = _CONFIGURATION.read([row[first:second]])
        [secret.configuration.application] = _APPLICATION.read([row[second:]])
    return secrets_of_client


def record_use(*, secret: ClientSecret, at: datetime) -> None:
    """Remember that a token was issued for this secret."""
    execute(
        Statement("UPDATE provisioning_clientsecret SET last_used_at = %s WHERE id = %s", (parameter(at), secret.pk))
    )


_SECRET, _CONFIGURATION, _APPLICATION = whole(ClientSecret), whole(ProvisioningConfiguration), whole(Application)
_WIDTH = len(_SECRET.names) + len(_CONFIGURATION.names)
_LIVE = f"""
SELECT {_SECRET.text}, {_CONFIGURATION.text}, {_APPLICATION.text}
FROM oauth2_provider_application
JOIN provisioning_provisioningconfiguration
ON provisioning_provisioningconfiguration.application_id = oauth2_provider_application.id
JOIN provisioning_clientsecret
ON provisioning_clientsecret.configuration_id = provisioning_provisioningconfiguration.id
WHERE client_id = %s AND revoked_at IS NULL AND expires_at > %s AND deleted_at IS NULL"""  # noqa: S608
