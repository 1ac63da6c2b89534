"""Who may have a token: our own secrets, and assertions, behind django-oauth-toolkit's token endpoint."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from oauth2_provider.models import AccessToken
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2.rfc6749.errors import InvalidClientError, TemporarilyUnavailableError, UnauthorizedClientError

from provisioning.models import ProvisioningConfiguration
from provisioning.oauth.credentials import NONE, Credentials, credentials
from provisioning.services.access import is_open
from provisioning.services.secrets import matching_secret, record_use
from provisioning.services.tokens import PAUSED, IssuerSilent, checksum, record_contact, trusting_configuration


class ClientCredentialsValidator(OAuth2Validator):  # type: ignore[misc]
    """Client credentials by header, by body, by both when they agree (decision D-30), or by assertion; no other grant.

    The library's own check would hash slowly (0.2 s of CPU) and knows one secret per client; ours compares the keyed
    digest of what came with the digests of all live secrets, in constant time, and does the same work for nobody.
    """

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:  # noqa: ARG002
        return True

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:  # noqa: ARG002
        """Set ``request.client`` and return True when what was shown opens a configuration.

        Raises ``UnauthorizedClientError`` while the configuration is paused, and ``TemporarilyUnavailableError`` while
        the issuer that it trusts does not answer.
        """
        body, authorization = dict(request.decoded_body or ()), str(request.headers.get("HTTP_AUTHORIZATION") or "")
        shown, now = credentials(body, authorization), timezone.now()
        if shown == NONE:
            return False
        request.matching_secret = None
        configuration = self._configuration(shown, request, now)
        if configuration is None:
            return False
        if configuration.paused_at is not None:
            raise UnauthorizedClientError(description=PAUSED, request=request)
        record_contact(configuration=configuration, at=now)
        request.client = configuration.application
        request.client.configuration = configuration
        return True

    def _configuration(self, shown: Credentials, request: Any, now: datetime) -> ProvisioningConfiguration | None:
        if shown.assertion:
            try:
                return trusting_configuration(client_id=shown.client_id, assertion=shown.assertion, at=now)
            except IssuerSilent as error:
                raise TemporarilyUnavailableError(_SILENT, status_code=503, request=request) from error
        secret = matching_secret(client_id=shown.client_id, secret=shown.secret, at=now)
        request.matching_secret = secret
        return None if secret is None else secret.configuration

    def save_bearer_token(self, token: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        """Store the token, then see whether what opened it still does: who ended that meanwhile did not see the token.

        Raises ``InvalidClientError`` when it does not, and the token is gone.
        """
        super().save_bearer_token(token, request, *args, **kwargs)
        secret = request.matching_secret
        is_valid = record_use(secret=secret, at=timezone.now()) if secret else is_open(request.client.configuration)
        if not is_valid:
            AccessToken.objects.filter(token_checksum=checksum(token["access_token"])).delete()
            raise InvalidClientError(request=request)

    def authenticate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:  # noqa: ARG002
        return False


_SILENT = "The keys of the token's issuer cannot be read now. Repeat the request after the time in Retry-After."
