"""An identity provider as its discovery describes it, and the exchange of a code (OpenID Connect Core 1.0 §3.1.3)."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus, urlsplit

import httpx
import orjson

from provisioning.services import issuers

SCOPES: Final = "openid profile"
_FRESH: Final = 15 * 60.0
_PAUSE: Final = 15.0
_MOST: Final = 1_000
_PATIENCE: Final = 8.0
_LARGEST: Final = 256 * 1024
_LONGEST_TEXT: Final = 300


class ProviderRefuses(Exception):
    """The identity provider did not hand out what was asked for; the message says why, in its words."""

    def __init__(self, error: str, description: str = "") -> None:
        self.error = error
        said = f"“{error}” ({description})" if description else f"“{error}”"
        super().__init__(f"Your organization’s sign-in answered {said}. Try again, or show this to an admin.")


@dataclass(frozen=True, slots=True)
class Provider:
    """Where to go for signing in, and how; ``names_itself``: its answers carry ``iss`` (RFC 9207)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    posts_secret: bool
    names_itself: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who we are to a provider."""

    client_id: str
    client_secret: str
    redirect_uri: str


def read(issuer: str) -> Provider:
    """Return the provider as it describes itself now. Raises ``IssuerUnreachable``."""
    return of(issuers.metadata(issuer))


def of(document: dict[str, Any]) -> Provider:
    """Return the provider of some metadata (OpenID Connect Discovery 1.0 §3). Raises ``IssuerUnreachable``."""
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Provider(
        issuer=document["issuer"],
        authorization_endpoint=issuers.endpoint(document, "authorization_endpoint"),
        token_endpoint=issuers.endpoint(document, "token_endpoint"),
        posts_secret=isinstance(methods, list) and "client_secret_post" in methods,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def host(issuer: str) -> str:
    """Return what a person recognizes a provider by."""
    return urlsplit(issuer).netloc


class Providers:
    """The providers that this process has read lately; one that does not answer is left alone for a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, Provider | str]] = OrderedDict()

    def find(self, issuer: str) -> Provider:
        """Return the provider. Raises ``IssuerUnreachable``."""
        with self._lock:
            until, found = self._known.get(issuer, (0.0, ""))
        if time.monotonic() >= until:
            found = self._read(issuer)
        if isinstance(found, str):
            raise issuers.IssuerUnreachable(found)
        return found

    def forget(self, issuer: str) -> None:
        """Read the provider anew the next time."""
        with self._lock:
            self._known.pop(issuer, None)

    def _read(self, issuer: str) -> Provider | str:
        found: Provider | str
        try:
            found, fresh = read(issuer), _FRESH
        except issuers.IssuerUnreachable as error:
            found, fresh = str(error), _PAUSE
        with self._lock:
            self._known[issuer] = (time.monotonic() + fresh, found)
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        return found


providers: Final = Providers()


def exchange(provider: Provider, client: Client, *, code: str, verifier: str) -> str:
    """Return the ID token for a code (RFC 6749 §4.1.3, RFC 7636 §4.5).

    Raises ``ProviderRefuses`` and ``IssuerUnreachable``.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": verifier,
    }
    status, answer = _post(provider, client, form)
    token = answer.get("id_token")
    if status == httpx.codes.OK and isinstance(token, str):
        return token
    if "error" not in answer:
        raise issuers.IssuerUnreachable(f"{provider.token_endpoint} answers {status} without a token.")
    raise ProviderRefuses(short(answer["error"]), short(answer.get("error_description", "")))


def short(text: Any) -> str:
    """Return what a provider said, as one short line."""
    return " ".join(str(text).split())[:_LONGEST_TEXT]


def _post(provider: Provider, client: Client, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Ask the token endpoint as the client (RFC 6749 §2.3.1); redirections are not followed."""
    address, auth = provider.token_endpoint, None
    if provider.posts_secret:
        form |= {"client_id": client.client_id, "client_secret": client.client_secret}
    else:
        auth = (quote_plus(client.client_id), quote_plus(client.client_secret))
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    try:
        with (
            httpx.Client(timeout=_PATIENCE, verify=address.startswith("https:")) as session,
            session.stream("POST", address, data=form, headers=headers, auth=auth) as answer,
        ):
            status, document = answer.status_code, orjson.loads(_content(answer))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise issuers.IssuerUnreachable(f"{address} does not answer: {error or type(error).__name__}.") from error
    except orjson.JSONDecodeError as error:
        raise issuers.IssuerUnreachable(f"{address} answers {status} and no JSON.") from error
    if not isinstance(document, dict):
        raise issuers.IssuerUnreachable(f"{address} does not answer with a JSON object.")
    return status, document


def _content(answer: httpx.Response) -> bytes:
    """Return what was answered; neither size nor time is the provider's to choose."""
    until, content = time.monotonic() + _PATIENCE, b""
    for piece in answer.iter_raw():
        content += piece
        if len(content) > _LARGEST or time.monotonic() > until:
            raise issuers.IssuerUnreachable(f"{answer.url} answers with too much, or too slowly.")
    return content
