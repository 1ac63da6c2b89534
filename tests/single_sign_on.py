"""Single sign-on for tests: a provider that does what it is told, hostile or not, behind a real HTTP server."""

import base64
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from provisioning.models import LoginAccount, SignOnIdentity, SingleSignOn, Subscription
from provisioning.services.single_sign_on import Wanted, set_single_sign_on
from tests import http_server
from tests.factories import ACTOR, NOON
from tests.http_server import Answer, Asked, json_answer
from tests.provisioning.issuing import TENANT, public, rsa_key, signed

CLIENT_ID = "portal"
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"
"""An issuer that every installation trusts; the tests ask it nothing."""
CLIENT_SECRET = "secret of the portal"


class IdentityProvider:
    """``claims`` are those of who signs in next; ``tamper`` changes the claims of its ID tokens (None: left out).

    ``key`` signs, ``kid`` names it; ``basic`` wants the secret in a header; ``extra`` is added to its metadata and
    ``sent`` to what it sends back by the browser.
    """

    def __init__(self) -> None:
        self.base = ""
        self.claims: dict[str, Any] = {"sub": "subject-of-ann", "preferred_username": "ann@contoso.example"}
        self.tamper: dict[str, Any] = {}
        self.key, self.kid, self.keys = rsa_key(), "one", [public(rsa_key(), "one")]
        self.algorithm = "RS256"
        self.extra: dict[str, Any] = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
        self.sent: dict[str, str] = {}
        self.asked: list[dict[str, str]] = []
        self.codes: dict[str, tuple[dict[str, str], dict[str, Any]]] = {}
        self.exchanges = 0

    @property
    def issuer(self) -> str:
        return f"{self.base}/realm"

    def authorize(self, address: str) -> str:
        """Sign the person in, and return where the browser is sent back to."""
        asked = dict(parse_qsl(urlsplit(address).query))
        self.asked.append(asked)
        code = f"code-{len(self.asked)}"
        claims = {**self.claims}
        if "max_age" in asked:
            claims.setdefault("auth_time", int(time.time()))
        self.codes[code] = (asked, claims)
        answer = {"code": code, "state": asked["state"], **self.sent}
        return f"{asked['redirect_uri']}?{urlencode({name: value for name, value in answer.items() if value})}"

    def answer(self, asked: Asked) -> Answer:
        if asked.method == "POST":
            return self.token(dict(parse_qsl(asked.body.decode())), asked.headers.get("Authorization", ""))
        return self.get(asked.path)

    def get(self, path: str) -> Answer:
        if path == "/realm/.well-known/openid-configuration":
            found = {name: f"{self.base}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
            return json_answer({"issuer": self.issuer, **found, **self.extra})
        if path == "/jwks_uri":
            return json_answer({"keys": self.keys})
        if path.startswith("/authorization_endpoint"):
            return 302, {"Location": self.authorize(path)}, b""
        return 404, {}, b""

    def token(self, form: dict[str, str], header: str) -> Answer:
        """Exchange a code, once, for who has the client's secret and the verifier (RFC 7636 §4.6)."""
        self.exchanges += 1
        if not self._knows(form, header):
            return self._refusal("invalid_client", 401)
        asked, claims = self.codes.pop(form.get("code", ""), ({}, {}))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if proof != asked.get("code_challenge") or form.get("redirect_uri") != asked.get("redirect_uri"):
            return self._refusal("invalid_grant", 400)
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": CLIENT_ID, "exp": now + 300, "iat": now, "nonce": asked.get("nonce")}
        token = signed({**usual, **claims, **self.tamper}, key=self.key, algorithm=self.algorithm, kid=self.kid)
        return json_answer({"token_type": "Bearer", "access_token": "unused", "id_token": token})

    def _knows(self, form: dict[str, str], header: str) -> bool:
        given = (form.get("client_id"), form.get("client_secret"))
        if header.startswith("Basic "):
            name, _, secret = base64.b64decode(header[6:]).decode().partition(":")
            given = (unquote_plus(name), unquote_plus(secret))
        return given == (CLIENT_ID, CLIENT_SECRET)

    @staticmethod
    def _refusal(error: str, status: int) -> Answer:
        return json_answer({"error": error, "error_description": "As the tests\nwant it."}, status)


@contextmanager
def serving() -> Iterator[IdentityProvider]:
    """Serve an identity provider until the block ends."""
    provider = IdentityProvider()
    with http_server.serving(provider.answer) as provider.base:
        yield provider


def make_single_sign_on(
    subscription: Subscription, issuer: str = ISSUER, *, admits_manual_accounts: bool = False
) -> SingleSignOn:
    wanted = Wanted(issuer, CLIENT_ID, CLIENT_SECRET, admits_manual_accounts=admits_manual_accounts)
    set_single_sign_on(subscription=subscription, wanted=wanted, actor=ACTOR, at=NOON)
    return SingleSignOn.objects.select_related("subscription").get(subscription=subscription)


def make_identity(account: LoginAccount, row: SingleSignOn, subject: str = "subject-of-ann") -> SignOnIdentity:
    return SignOnIdentity.objects.create(single_sign_on=row, account=account, subject=subject, bound_at=NOON)
