"""Tokens that somebody else has signed: assertions at the token endpoint (RFC 7523), and Entra's own (scim-cases A-1).

What is checked is what RFC 7523 §3 demands: issuer, subject, audience, expiry, and a signature by a key of the issuer.
A ``jti`` is not remembered: the workload identity federation of Entra sends the same assertion as often as it likes
while it is valid, and RFC 7523 leaves that to the server.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import jwt
from django.conf import settings
from jwt import PyJWK

from provisioning.models import ProvisioningConfiguration
from provisioning.services import issuers

NON_GALLERY_AUDIENCE: Final = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"
"""The audience of Entra's own tokens for every SCIM application that is not of the gallery (scim-cases A-1)."""
LEEWAY: Final = 60
"""Seconds by which another clock may be wrong."""
_LONGEST: Final = 16 * 1024
_MOST_VERIFIED: Final = 1_000
_EVERYTHING: Final = ("iss", "sub", "aud", "exp")


class Untrusted(Exception):
    """A token is not one that a configuration trusts; the message says why."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose tokens are accepted: any of ``issuers``, for ``audience``, about ``subject`` (empty: anybody)."""

    issuers: tuple[str, ...]
    audience: str
    subject: str = ""


def trust_of(configuration: ProvisioningConfiguration) -> Trust | None:
    """Return whose tokens the configuration trusts; None when nobody's."""
    if not configuration.issuer or not configuration.audience:
        return None
    named = (configuration.issuer,)
    is_classic = configuration.kind == ProvisioningConfiguration.Kind.CLASSIC
    return Trust(
        issuers=entra_issuers(configuration.directory) if is_classic else named,
        audience=configuration.audience,
        subject=configuration.subject,
    )


def entra_issuers(directory: str) -> tuple[str, ...]:
    """Return the names by which an Entra tenant signs: version 1.0, and 2.0, there or in a national cloud."""
    authorities = dict.fromkeys((issuers.ENTRA, f"{settings.ENTRA_AUTHORITY}/"))
    return f"{issuers.ENTRA_STS}{directory}/", *(f"{base}{directory}/v2.0" for base in authorities)


def check(token: str, trust: Trust, *, at: datetime, may_lack_kid: bool = False) -> Mapping[str, Any]:
    """Accept the token, and return what it says; one without a ``kid`` may be accepted where the issuer has one key.

    Raises ``Untrusted``, and ``IssuerUnreachable`` when its signature cannot be verified now.
    """
    header, claims = _parts(token)
    issuer, kid = claims.get("iss"), header.get("kid")
    if issuer not in trust.issuers:
        raise Untrusted("The issuer is another one.")
    is_named = isinstance(kid, str) or (may_lack_kid and kid is None)
    if header.get("alg") not in issuers.ALGORITHMS.values() or not is_named or "crit" in header:
        raise Untrusted("The signature must be by RS256 or ES256, with a key that the header names.")
    check_claims(claims, trust, at=at)
    try:
        key = issuers.keys().find(str(issuer), kid)
    except issuers.KeyUnknown as error:
        raise Untrusted("The issuer has no such key.") from error
    _verified.check(token, key, str(header["alg"]))
    return claims


def check_claims(claims: Mapping[str, Any], trust: Trust, *, at: datetime) -> None:
    """Accept what a token says (RFC 7523 §3, RFC 7519 §4.1). Raises ``Untrusted``."""
    if missing := [name for name in _EVERYTHING if name not in claims]:
        raise Untrusted(f"The token has no {missing[0]}.")
    audiences, subject = claims["aud"], claims["sub"]
    if trust.audience not in (audiences if isinstance(audiences, list) else [audiences]):
        raise Untrusted("The audience is another one.")
    if not isinstance(subject, str) or not subject or (trust.subject and subject != trust.subject):
        raise Untrusted("The subject is another one.")
    now = at.timestamp()
    if _moment(claims["exp"]) + LEEWAY <= now:
        raise Untrusted("The token has expired.")
    if any(_moment(claims.get(name, 0)) - LEEWAY > now for name in ("nbf", "iat")):
        raise Untrusted("The token is not valid yet.")


def _moment(value: Any) -> float:
    """Return a NumericDate (RFC 7519 §2). Raises ``Untrusted`` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 10**12:
        raise Untrusted("A time of the token is no number of seconds.")
    return float(value)


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims, of which nothing is proved. Raises ``Untrusted``."""
    if len(token) > _LONGEST or not token.isascii():
        raise Untrusted("It is no JSON Web Token.")
    try:
        read = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
        raise Untrusted("It is no JSON Web Token.") from error
    return read["header"], read["payload"]


class _Verified:
    """Tokens whose signatures were found right, by their digest, each with the key: who has another key asks again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: OrderedDict[bytes, PyJWK] = OrderedDict()

    def check(self, token: str, key: PyJWK, algorithm: str) -> None:
        """Verify the signature, once for each token while it is among the last thousand. Raises ``Untrusted``."""
        name = hashlib.sha256(token.encode()).digest()
        with self._lock:
            if self._keys.get(name) is key:
                return
        if algorithm != key.algorithm_name:
            raise Untrusted("The signature is not by the algorithm of its key.")
        try:
            jwt.PyJWS().decode(token, key, algorithms=[algorithm])
        except (jwt.InvalidTokenError, ValueError) as error:
            raise Untrusted("The signature is wrong.") from error
        with self._lock:
            self._keys[name] = key
            if len(self._keys) > _MOST_VERIFIED:
                self._keys.popitem(last=False)


_verified: Final = _Verified()
