"""oauthlib's server for the client credentials grant, which knows how long each configuration's tokens live."""

from typing import Any

from oauthlib.oauth2 import BackendApplicationServer


class ClientCredentialsServer(BackendApplicationServer):  # type: ignore[misc]
    """No other grant is known to it, whatever the toolkit's settings say (RFC 6749 §4.4)."""

    def __init__(self, request_validator: Any, **given: Any) -> None:
        super().__init__(request_validator, **{**given, "token_expires_in": _token_lifetime})


def _token_lifetime(request: Any) -> int:
    """Return the seconds that a token for the client lives, as an admin has set them (1-product §1.2)."""
    return int(request.client.configuration.token_lifetime)
