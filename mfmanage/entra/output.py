"""What ``entra run`` prints: lines for people or for programs, and a progress bar beside them."""

import json
from dataclasses import asdict

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from mfmanage.entra.directory import Directory
from mfmanage.entra.results import ObjectResult, Status, Summary

NOTABLE = (Status.FAILURE, Status.WARNING)
WIDTH = 10


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


def text_summary(summary: Summary) -> str:
    """Return the counts as a table, one row a cycle of this run."""
    rows = [asdict(cycle) for cycle in summary.cycles]
    head = "".join(f"{heading:>{WIDTH}}" for heading in rows[0])
    body = ["".join(f"{cell:>{WIDTH}}" for cell in row.values()) for row in rows]
    return "\n".join(("", head, *body))


def progress_bar(*, quiet: bool) -> Progress:
    """Return a bar on standard error, which shows only on a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("Cycle {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)


def advance(bar: Progress, directory: Directory, result: ObjectResult) -> None:
    """Move the bar by one object; every cycle has a bar of its own."""
    if not any(task.description == str(result.cycle) for task in bar.tasks):
        bar.add_task(str(result.cycle), total=_objects(directory, result.cycle))
    bar.advance(TaskID(len(bar.tasks) - 1))


def _objects(directory: Directory, cycle: int) -> int:
    """Count the objects that a cycle looks at: those there now, and those that went since the last one."""
    now, before = directory.at(cycle), directory.at(max(cycle - 1, 1))
    return len(now.users.keys() | before.users.keys()) + len(now.groups.keys() | before.groups.keys())
