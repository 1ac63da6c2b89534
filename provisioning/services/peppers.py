"""Keyed digests of secrets under a pepper, which can be changed without ending a secret (docs/settings.md).

A secret of 256 random bits needs no slow hash, and a slow one would let anybody exhaust the server.
"""

import hashlib
import hmac
from collections.abc import Mapping
from functools import cache
from typing import Final

from django.conf import settings

_VERSION_LABEL: Final = b"mfmanage: version of a pepper"
_VERSION_LENGTH: Final = 16


def digest(secret: str) -> str:
    """Return the HMAC-SHA-256 of ``secret`` under the installation's pepper, in hexadecimal (64 characters)."""
    return _digest(settings.PEPPER, secret)


def current_version() -> str:
    """Return the name of the pepper that new digests are made with; it tells nothing of the pepper itself."""
    return _version(settings.PEPPER)


def digests(secret: str) -> Mapping[str, str]:
    """Return the digest of ``secret`` under every pepper that is known, by the pepper's version."""
    return {_version(pepper): _digest(pepper, secret) for pepper in (settings.PEPPER, *settings.PREVIOUS_PEPPERS)}


def is_same(stored: str, version: str, offered: Mapping[str, str]) -> bool:
    """Return whether a stored digest is that of an offered secret, of which ``digests`` were made.

    A digest of no version is older than versions: any pepper may have made it. The work is the same whatever is found.
    """
    found = [hmac.compare_digest(stored, one) and version in {"", name} for name, one in offered.items()]
    return any(found)


def _digest(pepper: str, secret: str) -> str:
    return hmac.new(pepper.encode(), secret.encode(), hashlib.sha256).hexdigest()


@cache
def _version(pepper: str) -> str:
    return hmac.new(pepper.encode(), _VERSION_LABEL, hashlib.sha256).hexdigest()[:_VERSION_LENGTH]
