"""Sign-ins that are under way at an identity provider: what a browser must remember until it comes back.

Authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0 §3.1, RFC 7636, RFC 9700 §2.1.1). It stands
in a cookie, sealed: whoever begins is a stranger, and may not fill the table of sessions with rows of nobody.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self
from urllib.parse import urlencode

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from provisioning.models import SingleSignOn
from provisioning.sealing import Unreadable, seal, unseal
from provisioning.services.openid_provider import SCOPES, Provider
from provisioning.services.single_sign_on import redirect_uri

_PURPOSE: Final = "sign-ins under way"
_PATIENCE: Final = timedelta(minutes=10)
_LARGEST: Final = 3_800
"""Browsers keep no cookie of more than 4,096 bytes (RFC 6265 §6.1)."""
_LONGEST: Final = 1_500
"""A longer address is not gone on with, for it would leave no room in the cookie."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One sign-in; ``user_id`` is who is to confirm that it is them, ``following`` where to go afterwards."""

    number: str
    issuer: str
    client_id: str
    begun_at: str
    following: str = ""
    user_id: int | None = None
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @classmethod
    def of(cls, row: SingleSignOn, *, at: datetime, following: str = "", user_id: int | None = None) -> Self:
        """Return a new attempt."""
        return cls(
            number=row.subscription.number,
            issuer=row.issuer,
            client_id=row.client_id,
            begun_at=at.isoformat(),
            following=following if len(following.encode()) <= _LONGEST else "",
            user_id=user_id,
        )

    @property
    def since(self) -> datetime:
        return datetime.fromisoformat(self.begun_at)


@dataclass(kw_only=True)
class UnderWay:
    """What a browser remembers: its sign-ins by state, the oldest first, and the name that was typed before the next.

    An answer counts once for a browser, which forgets it; and once for the provider, which takes a code once.
    """

    attempts: dict[str, Attempt] = field(default_factory=dict)
    hint: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """Return what the browser remembers; what it has not got from here is nothing."""
        try:
            kept = orjson.loads(unseal(request.COOKIES.get(settings.SIGN_ON_COOKIE_NAME, ""), purpose=_PURPOSE))
        except Unreadable:
            return cls()
        found = {state: Attempt(**attempt) for state, attempt in kept["attempts"].items()}
        return cls(attempts=found, hint=kept["hint"])

    def start(self, attempt: Attempt) -> str:
        """Remember the attempt, and return its state, which nobody can guess."""
        state = secrets.token_urlsafe(32)
        self.attempts[state] = attempt
        return state

    def take(self, state: str, *, number: str, at: datetime) -> Attempt | None:
        """Return the attempt of that state, once; None when it is unknown, too old, or of another subscription."""
        found = self.attempts.pop(state, None)
        return found if found and found.number == number and at - found.since < _PATIENCE else None

    def keep(self, response: HttpResponse) -> None:
        """Have the browser remember this, of the sign-ins the latest that fit into a cookie."""
        if not self.attempts and not self.hint:
            response.delete_cookie(settings.SIGN_ON_COOKIE_NAME, samesite="Lax")
            return
        while len(sealed := seal(orjson.dumps(self).decode(), purpose=_PURPOSE)) > _LARGEST:
            del self.attempts[next(iter(self.attempts))]
        response.set_cookie(
            settings.SIGN_ON_COOKIE_NAME,
            sealed,
            max_age=_PATIENCE,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )


def address(provider: Provider, row: SingleSignOn, attempt: Attempt, state: str, *, hint: str = "") -> str:
    """Return where the browser is sent (OpenID Connect Core 1.0 §3.1.2.1); who confirms must sign in anew there."""
    challenge = hashlib.sha256(attempt.verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": row.client_id,
        "redirect_uri": redirect_uri(row.subscription),
        "scope": SCOPES,
        "state": state,
        "nonce": attempt.nonce,
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    if attempt.user_id is not None:
        asked |= {"prompt": "login", "max_age": "0"}
    if hint:
        asked["login_hint"] = hint
    separator = "&" if "?" in provider.authorization_endpoint else "?"
    return f"{provider.authorization_endpoint}{separator}{urlencode(asked)}"
