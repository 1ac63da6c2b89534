"""Who may have a token: our own secrets behind django-oauth-toolkit's token endpoint."""

import hmac
from base64 import b64decode
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from django.utils import timezone
from oauth2_provider.oauth2_validators import OAuth2Validator

from provisioning.models import ClientSecret
from provisioning.services.refusals import record_refused_secret
from provisioning.services.secrets import digest, live_secrets, record_use
from provisioning.services.tokens import record_contact

_NOBODY = digest("no such client")


class ClientCredentialsValidator(OAuth2Validator):  # type: ignore[misc]
    """Client credentials by header, by body, or by both when they agree (decision D-30); no other grant.

    The library's own check would hash slowly (0.2 s of CPU) and knows one secret per client; ours compares the keyed
    digest of what came with the digests of all live secrets, in constant time, and does the same work for nobody.
    """

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:  # noqa: ARG002
        return True

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:  # noqa: ARG002
        """Set ``request.client`` and return True when the credentials are those of a live secret."""
        credentials = _credentials(request)
        if credentials is None:
            return False
        now = timezone.now()
        secret = _matching_secret(*credentials, now)
        if secret is None:
            record_refused_secret(client_id=credentials[0], secret=credentials[1], at=now)
            return False
        record_use(secret=secret, at=now)
        record_contact(configuration=secret.configuration, at=now)
        request.client = secret.configuration.application
        return True

    def authenticate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:  # noqa: ARG002
        return False


def _credentials(request: Any) -> tuple[str, str] | None:
    """Return client ID and secret, or None when there are none or header and body disagree (RFC 6749 §2.3)."""
    found = {pair for pair in (_from_header(request), _from_body(request)) if pair is not None}
    return found.pop() if len(found) == 1 and not any("\0" in text for pair in found for text in pair) else None


def _from_body(request: Any) -> tuple[str, str] | None:
    if request.client_id and request.client_secret:
        return str(request.client_id), str(request.client_secret)
    return None


def _from_header(request: Any) -> tuple[str, str] | None:
    scheme, _, encoded = str(request.headers.get("HTTP_AUTHORIZATION") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(client_id), unquote_plus(secret)


def _matching_secret(client_id: str, secret: str, at: datetime) -> ClientSecret | None:
    offered = digest(secret)
    found = None
    for candidate in live_secrets(client_id=client_id, at=at) or [ClientSecret(digest=_NOBODY)]:
        if hmac.compare_digest(candidate.digest, offered):
            found = candidate
    return found
