"""What a run tells: per object the steps that Entra's provisioning log shows, per cycle the counts."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """Entra's four results of a step and of an object."""

    SUCCESS = "Success"
    FAILURE = "Failure"
    SKIPPED = "Skipped"
    WARNING = "Warning"


class Action(StrEnum):
    """What was done to an object, in the words of Entra's provisioning log."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"
    DISABLE = "Disable"
    STAGED_DELETE = "StagedDelete"
    OTHER = "Other"


@dataclass(frozen=True)
class Step:
    """One step: ``import``, ``scope``, ``match`` or ``action``, its result, and Entra's error code if it has one."""

    step: str
    status: Status
    detail: str
    code: str = ""


@dataclass
class ObjectResult:
    """What one cycle did to one object; grows step by step while the object is worked on.

    ``is_reference`` says that the work has come to the object's manager or members; ``total`` is the number of
    objects that the cycle looks at.
    """

    cycle: int
    kind: str
    id: str
    name: str
    action: Action = Action.OTHER
    steps: list[Step] = field(default_factory=list)
    stage: str = "import"
    is_reference: bool = False
    total: int = 0

    @property
    def key(self) -> str:
        """The name under which the state remembers the object."""
        return f"{self.kind} {self.id}"

    @property
    def status(self) -> Status:
        """A failure or a warning anywhere; else success if anything was done; else skipped."""
        statuses = {step.status for step in self.steps}
        for status in (Status.FAILURE, Status.WARNING):
            if status in statuses:
                return status
        did = any(step.step == "action" and step.status is Status.SUCCESS for step in self.steps)
        return Status.SUCCESS if did else Status.SKIPPED

    def add(self, status: Status, detail: str, code: str = "") -> None:
        """Note the result of the step at which the object is now."""
        self.steps.append(Step(self.stage, status, detail, code))

    def attempt(self, action: Action) -> None:
        """Go to the step ``action``; the first thing attempted names what is done to the object."""
        self.stage = "action"
        if self.action is Action.OTHER:
            self.action = action

    def as_document(self) -> dict[str, Any]:
        """Return the line of ``entra run --json``."""
        return {
            "object": self.name,
            "action": self.action,
            "status": self.status,
            "steps": [asdict(step) for step in self.steps],
            "type": self.kind,
            "id": self.id,
            "cycle": self.cycle,
        }


@dataclass
class CycleSummary:
    """The counts of one cycle: objects by what was done to them, SCIM requests, writes among them, time.

    ``kind`` is ``initial`` or ``incremental``, ``at`` the simulated time, ``quarantine`` and ``reason`` the code
    and the sentence of the quarantine in which the job is afterwards, empty if it is in none.
    """

    created: int = 0
    updated: int = 0
    disabled: int = 0
    deleted: int = 0
    skipped: int = 0
    failed: int = 0
    requests: int = 0
    writes: int = 0
    seconds: float = 0.0
    staged: int = 0
    kind: str = ""
    at: str = ""
    quarantine: str = ""
    reason: str = ""

    @property
    def objects(self) -> int:
        """How many objects the cycle looked at."""
        return sum(int(getattr(self, heading)) for heading in ("failed", *HEADINGS.values()))

    def count(self, result: ObjectResult) -> None:
        """Count an object, under exactly one heading."""
        heading = "failed" if result.status is Status.FAILURE else HEADINGS[result.action]
        setattr(self, heading, getattr(self, heading) + 1)


HEADINGS = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.DISABLE: "disabled",
    Action.DELETE: "deleted",
    Action.STAGED_DELETE: "staged",
    Action.OTHER: "skipped",
}


@dataclass(frozen=True)
class Summary:
    """The counts of all cycles of a run."""

    cycles: tuple[CycleSummary, ...]

    @property
    def failed(self) -> int:
        """How many times an object failed."""
        return sum(cycle.failed for cycle in self.cycles)

    @property
    def objects(self) -> int:
        """How many times an object was looked at."""
        return sum(cycle.objects for cycle in self.cycles)

    def as_document(self) -> dict[str, Any]:
        """Return the last line of ``entra run --json``."""
        return {"cycles": [asdict(cycle) for cycle in self.cycles]}
