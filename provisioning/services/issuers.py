"""The public keys of other issuers, by which their tokens are verified (OpenID Connect Discovery 1.0 §4, RFC 7517).

Keys are kept in this process by issuer and ``kid``. They are read anew after an hour, and when a token names a key that
is not among them, though not more often than every 30 seconds, so that tokens of nobody make no traffic. While an
issuer does not answer, its keys serve for a day.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import orjson
from django.conf import settings
from jwt import PyJWK
from jwt.exceptions import InvalidKeyError, PyJWKError

from provisioning import hosts
from provisioning.once import once

ENTRA: Final = "https://login.microsoftonline.com/"
ENTRA_STS: Final = "https://sts.windows.net/"
"""How the names of all issuers of Microsoft Entra begin, by version 2.0 and 1.0 of its tokens."""
ALGORITHMS: Final = {"RSA": "RS256", "EC": "ES256"}
"""The one algorithm of each type of key: a key never verifies by another one, least of all by a symmetric one."""
_FRESH: Final = 60 * 60.0
_LONGEST: Final = 24 * 60 * 60.0
_PAUSE: Final = 30.0
_PATIENCE: Final = 5.0
_LARGEST: Final = 256 * 1024
_MOST_KEYS: Final = 100
_MOST_ISSUERS: Final = 1_000
_SHORTEST_RSA: Final = 2048
_clock = time.monotonic
logger = logging.getLogger(__name__)


class IssuerUnreachable(Exception):
    """The issuer's keys cannot be read; the message says why."""


class KeyUnknown(Exception):
    """The issuer has no usable key of that ``kid``."""


@dataclass(slots=True)
class _Known:
    """What is known of an issuer; times by a clock that only goes forward."""

    keys: Mapping[str, PyJWK] = field(default_factory=dict)
    read_at: float = -_LONGEST
    tried_at: float = -_PAUSE
    problem: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Keys:
    """The keys of issuers, safe to use from several threads; ``read`` reads those of one, ``clock`` is in seconds."""

    def __init__(self, read: Callable[[str], Mapping[str, PyJWK]], clock: Callable[[], float] = time.monotonic) -> None:
        self._read, self._clock = read, clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def find(self, issuer: str, kid: str | None) -> PyJWK:
        """Return the issuer's key of that ``kid``; without one, its only key (OpenID Connect Core 1.0 §10.1).

        Raises ``KeyUnknown`` and ``IssuerUnreachable``.
        """
        known = self._of(issuer)
        if self._is_due(known, kid) and known.lock.acquire(blocking=kid not in known.keys):
            try:
                self._renew(known, issuer, kid)
            finally:
                known.lock.release()
        if self._clock() - known.read_at >= _LONGEST:
            raise IssuerUnreachable(known.problem)
        keys = known.keys
        if kid is None and len(keys) == 1:
            return next(iter(keys.values()))
        if kid is None or kid not in keys:
            raise KeyUnknown(kid)
        return keys[kid]

    def _of(self, issuer: str) -> _Known:
        with self._lock:
            if issuer not in self._known:
                self._known[issuer] = _Known(read_at=self._clock() - _LONGEST, tried_at=self._clock() - _PAUSE)
            self._known.move_to_end(issuer)
            if len(self._known) > _MOST_ISSUERS:
                self._known.popitem(last=False)
            return self._known[issuer]

    def _is_due(self, known: _Known, kid: str | None) -> bool:
        now = self._clock()
        is_wanted = kid not in known.keys or now - known.read_at >= _FRESH
        return is_wanted and now - known.tried_at >= _PAUSE

    def _renew(self, known: _Known, issuer: str, kid: str | None) -> None:
        if not self._is_due(known, kid):  # another thread has just done it
            return
        try:
            known.keys = self._read(issuer)
        except IssuerUnreachable as error:
            known.problem = str(error)
            logger.warning("The keys of an issuer cannot be read: %s", error)
        else:
            known.read_at = self._clock()
        known.tried_at = self._clock()


@once
def keys() -> Keys:
    """Return the keys that this process knows."""
    return Keys(read_keys)


def read_keys(issuer: str) -> dict[str, PyJWK]:
    """Return the issuer's keys by ``kid``, as it publishes them now. Raises ``IssuerUnreachable``."""
    return usable_keys(_document(endpoint(metadata(issuer), "jwks_uri")))


def metadata(issuer: str) -> dict[str, Any]:
    """Return what the issuer says of itself (OpenID Connect Discovery 1.0 §4.3). Raises ``IssuerUnreachable``."""
    address = metadata_address(issuer)
    if not is_allowed(issuer):
        raise IssuerUnreachable(f"{address} is not called: MFMANAGE_ISSUER_HOSTS does not name its host.")
    document = _document(address)
    if document.get("issuer") != issuer:
        raise IssuerUnreachable(f"{address} is not of the issuer {issuer}, but of another one.")
    return document


def endpoint(document: Mapping[str, Any], name: str) -> str:
    """Return an address that an issuer's metadata names. Raises ``IssuerUnreachable``."""
    address, found = metadata_address(document["issuer"]), document.get(name)
    if not isinstance(found, str):
        raise IssuerUnreachable(f"{address} names no {name}.")
    if not hosts.is_safe(found):
        raise IssuerUnreachable(f"{address} names a {name} that is no https address.")
    if hosts.is_local(found) and not hosts.is_local(address):
        raise IssuerUnreachable(f"{address} names a {name} that is not its own.")
    return found


def usable_keys(document: Mapping[str, Any]) -> dict[str, PyJWK]:
    """Return the keys of a set that may verify a signature by one of ``ALGORITHMS``, by ``kid`` (RFC 7517 §4, §5)."""
    listed = document.get("keys")
    found = (_usable(one) for one in (listed if isinstance(listed, list) else [])[:_MOST_KEYS])
    return {str(key.key_id): key for key in found if key is not None}


def metadata_address(issuer: str) -> str:
    """Return where the issuer publishes its metadata; Entra's tenants do so at ``settings.ENTRA_AUTHORITY``."""
    base = issuer
    for prefix in (ENTRA, ENTRA_STS):
        if issuer.startswith(prefix):
            base = f"{settings.ENTRA_AUTHORITY}/{issuer.removeprefix(prefix)}"
    return f"{base.rstrip('/')}/.well-known/openid-configuration"


def is_allowed(issuer: str) -> bool:
    """Return whether the issuer may be trusted: this server calls only hosts that its operator names."""
    return hosts.is_named(metadata_address(issuer), settings.ISSUER_HOSTS)


def _usable(found: Any) -> PyJWK | None:
    if not isinstance(found, dict) or found.get("use", "sig") != "sig" or not isinstance(found.get("kid"), str):
        return None
    algorithm = ALGORITHMS.get(str(found.get("kty")))
    if algorithm is None or found.get("alg", algorithm) != algorithm or "d" in found:
        return None
    try:
        key = PyJWK(found, algorithm)
    except (PyJWKError, InvalidKeyError, ValueError, TypeError):
        return None
    return key if algorithm == "ES256" or key.key.key_size >= _SHORTEST_RSA else None


def _document(address: str) -> dict[str, Any]:
    """Return the JSON object at an address. Raises ``IssuerUnreachable``."""
    if not hosts.is_safe(address):
        raise IssuerUnreachable(f"{address} is no https address.")
    try:
        document = orjson.loads(_content(address))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise IssuerUnreachable(f"{address} does not answer: {error or type(error).__name__}.") from error
    except orjson.JSONDecodeError as error:
        raise IssuerUnreachable(f"{address} does not answer with JSON.") from error
    if not isinstance(document, dict):
        raise IssuerUnreachable(f"{address} does not answer with a JSON object.")
    return document


def _content(address: str) -> bytes:
    """Return what is there; redirections are not followed, and neither size nor time is the issuer's to choose."""
    until, content = _clock() + _PATIENCE, b""
    asked = {"Accept": "application/json", "Accept-Encoding": "identity"}
    verify = address.startswith("https:")  # loading the system's authorities takes 0.1 s
    with (
        httpx.Client(timeout=_PATIENCE, verify=verify) as client,
        client.stream("GET", address, headers=asked) as answer,
    ):
        if answer.status_code != httpx.codes.OK:
            raise IssuerUnreachable(f"{address} answers {answer.status_code}.")
        for piece in answer.iter_raw():
            content += piece
            if len(content) > _LARGEST or _clock() > until:
                raise IssuerUnreachable(f"{address} answers with too much, or too slowly.")
    return content
