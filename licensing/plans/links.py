"""How a link stands, in one word with a reason (1-product §1.5, rule 7), decided from facts alone."""

from dataclasses import dataclass
from enum import StrEnum


class LinkState(StrEnum):
    PENDING = "pending"
    SYNCHRONIZING = "synchronizing"
    IN_SYNC = "in sync"
    NEEDS_ATTENTION = "needs attention"
    SOURCE_DELETED = "source deleted"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFacts:
    """``done`` of ``total`` members are as wanted, ``open`` members are not yet; ``refused`` need a person.

    ``problem`` is the sentence of the vault or of the link itself, empty when all is well. ``is_spread`` and
    ``is_prepared`` say whether members and target have been looked at since the link was made or changed.
    """

    is_paused: bool = False
    is_source_deleted: bool = False
    is_spread: bool = True
    is_prepared: bool = True
    problem: str = ""
    total: int = 0
    open: int = 0
    refused: int = 0
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class LinkView:
    """``progress`` is like ``3 of 12``, only while it says something."""

    state: LinkState
    progress: str = ""
    reason: str = ""


def view(facts: LinkFacts) -> LinkView:
    """Return how the link stands."""
    if facts.is_paused:
        return LinkView(LinkState.PAUSED)
    if facts.is_source_deleted:
        reason = "The identity provider deleted the source user group; its members leave 24 hours later."
        return LinkView(LinkState.SOURCE_DELETED, reason=reason)
    if trouble := facts.problem or _refusals(facts):
        return LinkView(LinkState.NEEDS_ATTENTION, _progress(facts), trouble)
    if not (facts.is_spread and facts.is_prepared):
        return LinkView(LinkState.PENDING)
    return LinkView(LinkState.SYNCHRONIZING if facts.open else LinkState.IN_SYNC, _progress(facts))


def _refusals(facts: LinkFacts) -> str:
    if not facts.refused:
        return ""
    people = "1 vault user was" if facts.refused == 1 else f"{facts.refused} vault users were"
    return f"{people} refused: {facts.refusal}"


def _progress(facts: LinkFacts) -> str:
    return f"{facts.total - facts.open} of {facts.total}" if facts.open else ""
