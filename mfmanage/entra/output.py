"""What ``entra run`` prints: lines for people or for programs, and a progress bar beside them."""

import json
from dataclasses import asdict

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mfmanage.entra.results import ObjectResult, Status, Summary

NOTABLE = (Status.FAILURE, Status.WARNING)
STEPS = {
    "import": "Import from the source",
    "scope": "Determine if in scope",
    "match": "Match between source and target",
    "action": "Perform action",
}
WIDTH = 10
COLUMNS = (
    *("created", "updated", "disabled", "deleted", "skipped", "failed", "requests", "writes", "seconds"),
    "staged",
)


def json_line(result: ObjectResult) -> str:
    """Return the line of one object for programs."""
    return json.dumps(result.as_document(), ensure_ascii=False)


def json_summary(summary: Summary) -> str:
    """Return the last line for programs."""
    return json.dumps(summary.as_document())


def text_line(result: ObjectResult) -> str:
    """Return what happened to one object: cycle, status, action, type, name; below it what went wrong."""
    head = f"{result.cycle:>5}  {result.status:<8} {result.action:<8} {result.kind:<6} {result.name}"
    notes = (f"{'':7}{step.step}: {step.code}. {step.detail}" for step in result.steps if step.status in NOTABLE)
    return "\n".join((head, *notes))


def four_steps(result: ObjectResult) -> str:
    """Return what happened to one object step by step, as the portal shows it on demand."""
    lines = [f"{result.kind} {result.name}: {result.action}, {result.status}"]
    for number, (name, heading) in enumerate(STEPS.items(), 1):
        found = [step for step in result.steps if step.step == name]
        notes = [f"{step.status}: {step.code}{'. ' * bool(step.code)}{step.detail}" for step in found] or ["Skipped"]
        lines += [f"  {number}. {heading}", *(f"     {note}" for note in notes)]
    return "\n".join(lines)


def text_summary(summary: Summary) -> str:
    """Return the counts as a table, one row a cycle of this run."""
    rows = [{name: value for name, value in asdict(cycle).items() if name in COLUMNS} for cycle in summary.cycles]
    head = "".join(f"{heading:>{WIDTH}}" for heading in COLUMNS)
    body = ["".join(f"{cell:>{WIDTH}}" for cell in row.values()) for row in rows]
    notes = [f"In quarantine: {cycle.quarantine}. {cycle.reason}" for cycle in summary.cycles[-1:] if cycle.quarantine]
    return "\n".join(("", head, *body, *notes))


def progress_bar(*, quiet: bool) -> Progress:
    """Return a bar on standard error, which shows only on a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("Cycle {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)


def advance(bar: Progress, result: ObjectResult) -> None:
    """Move the bar by one object; every cycle has a bar of its own."""
    task = next((task for task in bar.tasks if task.description == str(result.cycle)), None)
    number = bar.add_task(str(result.cycle), total=result.total) if task is None else task.id
    bar.advance(number)
