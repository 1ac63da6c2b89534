"""What a restart of the job forgets (Microsoft Graph, ``synchronizationJobRestartCriteria``)."""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from mfmanage.entra.state import State


class Restart(StrEnum):
    """A scope of a restart; Graph takes several at once."""

    NONE = "None"
    WATERMARK = "Watermark"
    ESCROWS = "Escrows"
    QUARANTINE_STATE = "QuarantineState"
    CONNECTOR_DATA_STORE = "ConnectorDataStore"
    FULL = "Full"
    FORCE_DELETES = "ForceDeletes"


PORTAL: Final = frozenset({Restart.QUARANTINE_STATE, Restart.WATERMARK, Restart.ESCROWS})
"""What *Restart provisioning* in the portal means: everything is looked at again, the cached ids stay."""

FULL: Final = PORTAL | {Restart.CONNECTOR_DATA_STORE}
"""What ``Full`` stands for: the cached ids go too, so that every object is matched by a query."""


def restart(state: State, scopes: Collection[Restart]) -> None:
    """Forget what ``scopes`` name. The count of cycles stays: it is the place in the directory file."""
    wanted = set(scopes) | (FULL if Restart.FULL in scopes else frozenset())
    if Restart.WATERMARK in wanted:
        state.seen.clear()
        state.settings = ""
    if Restart.ESCROWS in wanted:
        state.escrows.clear()
    if Restart.QUARANTINE_STATE in wanted:
        state.quarantine = None
    if Restart.CONNECTOR_DATA_STORE in wanted:
        state.users.clear()
        state.groups.clear()
