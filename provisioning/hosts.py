"""Which other machines this server may call: by https unless it is this machine, and only those that are named."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

_LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}
_ALL: Final = "*"


def is_safe(address: str) -> bool:
    """Return whether ``address`` is one with https, or with http on this machine itself, and without a user."""
    try:
        parts = urlsplit(address)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return has_host and parts.username is None and (parts.scheme == "https" or is_local(address))


def is_local(address: str) -> bool:
    """Return whether the address is one with http on this machine itself."""
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname in _LOOPBACK


def is_named(address: str, hosts: Iterable[str]) -> bool:
    """Return whether ``hosts`` name that of the address, with its port if it has one; ``*`` names all."""
    named = {host.casefold() for host in hosts}
    return _ALL in named or urlsplit(address).netloc.casefold() in named
