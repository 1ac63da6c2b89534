"""Who may have a token: our own secrets behind django-oauth-toolkit's token endpoint."""

from base64 import b64decode
from typing import Any
from urllib.parse import unquote_plus

from django.utils import timezone
from oauth2_provider.models import AccessToken
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2.rfc6749.errors import InvalidClientError, UnauthorizedClientError

from provisioning.services.refusals import record_refused_secret
from provisioning.services.secrets import matching_secret, record_use
from provisioning.services.tokens import checksum, record_contact


class ClientCredentialsValidator(OAuth2Validator):  # type: ignore[misc]
    """Client credentials by header, by body, or by both when they agree (decision D-30); no other grant.

    The library's own check would hash slowly (0.2 s of CPU) and knows one secret per client; ours compares the keyed
    digest of what came with the digests of all live secrets, in constant time, and does the same work for nobody.
    """

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:  # noqa: ARG002
        return True

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:  # noqa: ARG002
        """Set ``request.client`` and return True when the credentials are those of a live secret.

        Raises ``UnauthorizedClientError`` while the configuration is paused.
        """
        credentials = _credentials(request)
        if credentials is None:
            return False
        now = timezone.now()
        secret = matching_secret(client_id=credentials[0], secret=credentials[1], at=now)
        if secret is None:
            record_refused_secret(client_id=credentials[0], secret=credentials[1], at=now)
            return False
        if secret.configuration.paused_at is not None:
            raise UnauthorizedClientError(description=_PAUSED, request=request)
        record_contact(configuration=secret.configuration, at=now)
        request.client, request.matching_secret = secret.configuration.application, secret
        return True

    def save_bearer_token(self, token: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        """Store the token, then see whether its secret still lives: whoever ended it meanwhile did not see the token.

        Raises ``InvalidClientError`` when it does not, and the token is gone.
        """
        super().save_bearer_token(token, request, *args, **kwargs)
        if not record_use(secret=request.matching_secret, at=timezone.now()):
            AccessToken.objects.filter(token_checksum=checksum(token["access_token"])).delete()
            raise InvalidClientError(request=request)

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


_PAUSED = "The configuration is paused. An admin of the portal can resume it."
