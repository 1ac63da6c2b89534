"""What is wrong with an identity provider, or with who we are to it, found out before anybody has to sign in."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from provisioning.models import SingleSignOn, Subscription
from provisioning.services import issuers, openid_provider, single_sign_on
from provisioning.services.issuers import IssuerUnreachable
from provisioning.services.openid_provider import Client, Provider, ProviderRefuses
from provisioning.services.single_sign_on import Wanted

_WRONG_CLIENT: Final = {"invalid_client", "unauthorized_client"}
_NO_CODE: Final = "mfmanage-tests-its-credentials"
"""No provider has issued this code: it refuses the code when it knows the client, and else the client."""


class Finding(NamedTuple):
    """One thing that was looked at; ``is_good`` is None where nobody can tell."""

    is_good: bool | None
    sentence: str


def check(subscription: Subscription, row: SingleSignOn | None, wanted: Wanted) -> list[Finding]:
    """Return what is found at the provider; nothing is saved, nobody signs in. Raises ``BadSingleSignOn``."""
    single_sign_on.check(row, wanted)
    try:
        document = issuers.metadata(wanted.issuer)
        provider = openid_provider.of(document)
        found = issuers.read_keys(wanted.issuer)
    except IssuerUnreachable as error:
        return [Finding(False, f"Discovery: {error}")]
    said = [
        Finding(True, f"Discovery: the issuer describes itself, and signs in at {provider.authorization_endpoint}."),
        Finding(bool(found), f"Keys: {len(found)} that can verify a signature by RS256 or ES256."),
        *_abilities(document),
    ]
    return [*said, _credentials(provider, _client(subscription, row, wanted))]


def _abilities(document: Mapping[str, Any]) -> list[Finding]:
    """Return what the provider says it cannot do; what it does not say, it may be able to."""
    wanted = (
        ("response_types_supported", {"code"}, "It does not offer the authorization code flow."),
        ("code_challenge_methods_supported", {"S256"}, "It does not offer PKCE by S256."),
        ("id_token_signing_alg_values_supported", {"RS256", "ES256"}, "It signs neither by RS256 nor by ES256."),
        ("scopes_supported", {"profile"}, "It has no scope “profile”, so its tokens may lack the username."),
    )
    return [
        Finding(False, f"Discovery: {sentence}")
        for name, needed, sentence in wanted
        if isinstance(listed := document.get(name), list) and not needed & {str(one) for one in listed}
    ]


def _client(subscription: Subscription, row: SingleSignOn | None, wanted: Wanted) -> Client:
    """Return who we would be; without a new secret, the one that is stored is tried at the issuer it is of."""
    secret = wanted.client_secret or (single_sign_on.client_of(row).client_secret if row else "")
    return Client(
        client_id=wanted.client_id,
        client_secret=secret,
        redirect_uri=single_sign_on.redirect_uri(subscription),
    )


def _credentials(provider: Provider, client: Client) -> Finding:
    try:
        openid_provider.exchange(provider, client, code=_NO_CODE, verifier=_NO_CODE * 2)
    except ProviderRefuses as error:
        if error.error in _WRONG_CLIENT:
            return Finding(False, f"Client ID and secret: {error}")
        if error.error == "invalid_grant":
            return Finding(True, "Client ID and secret: the provider knows them.")
        return Finding(None, f"Client ID and secret: nobody can tell. {error}")
    except IssuerUnreachable as error:
        return Finding(False, f"Token endpoint: {error}")
    return Finding(False, "Token endpoint: it hands out tokens for a code that it never issued. Do not trust it.")
