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
    """Of ``total`` recorded members ``open`` are not yet as wanted; ``refused`` of these need a person.

    ``problem`` is the sentence of the vault or of the link itself, empty when all is well. ``is_spread`` and
    ``is_prepared`` say whether members and target have been looked at since the link was made or changed. ``leaves_on``
    is when, in words, the members of a deleted source leave; empty once they were told to.
    """

    is_paused: bool = False
    is_ending: bool = False
    is_source_deleted: bool = False
    leaves_on: str = ""
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
    if facts.is_ending:
        return _ending(facts)
    if facts.is_source_deleted:
        return _source_deleted(facts)
    if trouble := _trouble(facts):
        return LinkView(LinkState.NEEDS_ATTENTION, _progress(facts), trouble)
    if not (facts.is_spread and facts.is_prepared):
        return LinkView(LinkState.PENDING)
    return LinkView(LinkState.SYNCHRONIZING if facts.open else LinkState.IN_SYNC, _progress(facts))


def _ending(facts: LinkFacts) -> LinkView:
    """While members leave, those who have left are recorded no more, so that only who is left can be counted."""
    reason, progress = "Being removed: its members leave", f"{facts.total:,} to go" if facts.total else ""
    if trouble := _trouble(facts):
        return LinkView(LinkState.NEEDS_ATTENTION, progress, f"{reason}. {trouble}")
    return LinkView(LinkState.SYNCHRONIZING, progress, reason)


def _source_deleted(facts: LinkFacts) -> LinkView:
    """Until the grace is over this needs nobody; a vault in trouble matters only once the members are leaving."""
    deleted = "The identity provider deleted the source user group"
    if facts.leaves_on:
        return LinkView(
            LinkState.SOURCE_DELETED, _progress(facts), f"{deleted}; its members leave on {facts.leaves_on}."
        )
    if trouble := _trouble(facts) if facts.open else "":
        return LinkView(LinkState.SOURCE_DELETED, _progress(facts), f"{deleted}; its members shall leave. {trouble}")
    verb = "are leaving" if facts.open else "have left"
    return LinkView(LinkState.SOURCE_DELETED, _progress(facts), f"{deleted}; its members {verb}.")


def _trouble(facts: LinkFacts) -> str:
    return facts.problem or _refusals(facts)


def _refusals(facts: LinkFacts) -> str:
    if not facts.refused:
        return ""
    people = "1 vault user was" if facts.refused == 1 else f"{facts.refused:,} vault users were"
    return f"{people} refused: {facts.refusal}"


def _progress(facts: LinkFacts) -> str:
    return f"{facts.total - facts.open:,} of {facts.total:,}" if facts.open else ""
