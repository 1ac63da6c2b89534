"""ID tokens: what must be true of one before anybody is let in by it (OpenID Connect Core 1.0 §3.1.3.7)."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from provisioning.services.assertions import LEEWAY, Trust, Untrusted, check

_LONGEST_SUBJECT: Final = 255
_LATEST: Final = 10**12
_NAMES: Final = ("upn", "preferred_username")
"""The claims that may be a username, the first that is there; never an e-mail address, which anybody may enter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who has signed in at an identity provider, and when (0: it does not say); the username may be missing, too."""

    issuer: str
    client_id: str
    subject: str
    username: str = ""
    signed_in_at: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an ID token is to be about; ``since``: the person must have signed in there after that."""

    issuer: str
    client_id: str
    nonce: str
    since: datetime | None = None


def identify(token: str, expected: Expected, *, at: datetime) -> Identity:
    """Return who the token speaks of. Raises ``Untrusted`` and ``IssuerUnreachable``."""
    trust = Trust(issuers=(expected.issuer,), audience=expected.client_id)
    claims = check(token, trust, at=at, may_lack_kid=True)
    _check_parties(claims, expected)
    _check_occasion(claims, expected)
    subject = claims["sub"]
    if len(subject) > _LONGEST_SUBJECT or not subject.isprintable():
        raise Untrusted("The subject is longer than 255 characters, or cannot be printed.")
    return Identity(
        issuer=expected.issuer,
        client_id=expected.client_id,
        subject=subject,
        username=_username(claims),
        signed_in_at=_signed_in_at(claims),
    )


def _check_parties(claims: Mapping[str, Any], expected: Expected) -> None:
    """Accept a token for this client; where its audience has others, it must have been issued to us (rules 3 to 5)."""
    party = claims.get("azp", expected.client_id)
    others = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if party != expected.client_id or (others and "azp" not in claims):
        raise Untrusted("The token was issued to another application.")


def _check_occasion(claims: Mapping[str, Any], expected: Expected) -> None:
    """Accept the token of this very sign-in (rules 10 to 13)."""
    if "iat" not in claims:
        raise Untrusted("The token has no iat.")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise Untrusted("The token belongs to another sign-in.")
    if expected.since is None:
        return
    signed_in = _signed_in_at(claims)
    if not signed_in:
        raise Untrusted("The token does not say when you signed in (auth_time). An admin can have the provider add it.")
    if signed_in + LEEWAY < expected.since.timestamp():
        raise Untrusted("You were signed in there already, and were not asked again.")


def _signed_in_at(claims: Mapping[str, Any]) -> float:
    """Return ``auth_time`` as seconds; 0 where it is missing or no time (JSON as Python reads it has infinities)."""
    found = claims.get("auth_time")
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < _LATEST:
        return 0
    return float(found)


def _username(claims: Mapping[str, Any]) -> str:
    found = next((claims[name] for name in _NAMES if claims.get(name)), "")
    return found.strip() if isinstance(found, str) and found.isprintable() else ""
