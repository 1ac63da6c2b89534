"""Which problem of a vault people are told of, and when; plain Python."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

PATIENCE: Final = timedelta(minutes=10)
"""What is over by then was none to be told of: a restart, a short outage of the network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultHealth:
    """How keeping a vault in step goes; ``reason`` is empty while it goes well."""

    name: str
    reason: str
    user_synchronization: bool
    is_gone: bool


@dataclass(frozen=True, slots=True)
class Incident:
    """What to tell, once it has lasted for ``wait``."""

    sentence: str
    wait: timedelta


def incident(vault: VaultHealth) -> Incident | None:
    """Return what there is to tell of a vault; what only a person can have done is told at once."""
    if not vault.reason:
        return None
    # It becomes the subject of a mail, which is one line.
    sentence = " ".join(f"Vault “{vault.name}”: {vault.reason}".split())
    is_deed = vault.user_synchronization or vault.is_gone
    return Incident(sentence, timedelta(0) if is_deed else PATIENCE)
