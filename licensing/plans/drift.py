"""What a full comparison of a vault with the records finds, counted and in words (1-product §1.5, rule 6)."""

from dataclasses import dataclass, field
from enum import StrEnum

LONGEST = 400
"""The most characters of a subject or detail that are kept."""


class Kind(StrEnum):
    """How something is not as it was left."""

    MISSING = "missing"
    UNEXPECTED = "unexpected"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was left: who or what it is about, and how it is."""

    kind: Kind
    subject: str
    detail: str
    is_repaired: bool


@dataclass(slots=True)
class Drift:
    """What is not as it was left; ``repaired`` of these are put right. Of all, the first ``room`` are named."""

    missing: int = 0
    unexpected: int = 0
    different: int = 0
    repaired: int = 0
    room: int = 0
    findings: list[Finding] = field(default_factory=list)

    def found(self, kind: Kind, subject: str, detail: str, *, is_repaired: bool) -> None:
        """Count one thing, and keep its name while there is room."""
        setattr(self, kind, getattr(self, kind) + 1)
        self.repaired += is_repaired
        if len(self.findings) < self.room:
            self.findings.append(Finding(kind, shortened(subject), shortened(detail), is_repaired))

    def add(self, other: "Drift") -> None:
        """Add the counts of another part of the comparison."""
        for name in ("missing", "unexpected", "different", "repaired"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def person(full_name: str, username: str) -> str:
    """Return how a report calls somebody."""
    return f"{full_name} ({username})" if full_name else username


def shortened(text: str) -> str:
    """Return as much of the text as is kept."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
