"""How a command prints the preview of a change that touches many."""

from typing import Any


def lines(preview: dict[str, Any]) -> list[str]:
    """Return the preview for people: the counts, then a line per account."""
    counts = (
        f"{preview['gain']} gain, {preview['lose']} lose, {preview['wait']} wait; "
        f"{preview['removed_members']} leave the target group, {preview['created_vault_users']} new vault users."
    )
    return [counts, *(f"  {one['username']}: {one['effect']}" for one in preview["accounts"])]
