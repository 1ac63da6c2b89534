"""Sign-ins that are under way at an identity provider: what this browser's session must remember until they come back.

Authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0 §3.1, RFC 7636, RFC 9700 §2.1.1).
"""

import base64
import hashlib
import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self
from urllib.parse import urlencode

from django.contrib.sessions.backends.base import SessionBase

from provisioning.models import SingleSignOn
from provisioning.services.openid_provider import SCOPES, Provider
from provisioning.services.single_sign_on import redirect_uri

_KEY: Final = "sign_ons"
_MOST: Final = 5
"""So many tabs of a browser can be signing in at a time."""
_PATIENCE: Final = timedelta(minutes=10)


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
            following=following,
            user_id=user_id,
        )

    @property
    def since(self) -> datetime:
        return datetime.fromisoformat(self.begun_at)


def start(session: SessionBase, attempt: Attempt) -> str:
    """Remember the attempt, and return its state, which nobody can guess."""
    state = secrets.token_urlsafe(32)
    session[_KEY] = dict(list(session.get(_KEY, {}).items())[1 - _MOST :]) | {state: asdict(attempt)}
    return state


def take(session: SessionBase, state: str, *, number: str, at: datetime) -> Attempt | None:
    """Return the attempt of that state, once; None when it is unknown, used, too old, or of another subscription."""
    known = dict(session.get(_KEY, {}))
    found = known.pop(state, None)
    if found is None:
        return None
    session[_KEY] = known
    session.save()  # whatever becomes of the answer, nobody comes with this state again
    attempt = Attempt(**found)
    return attempt if attempt.number == number and at - attempt.since < _PATIENCE else None


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
