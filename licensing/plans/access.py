"""What an account may do in a vault and by whose decision, in words, decided from facts alone."""

from dataclasses import dataclass
from typing import Final

from licensing.plans.vaults import admin_rights, has_full_control, roles_for

NO_RIGHTS: Final = admin_rights(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFacts:
    """``seen_roles`` are the role bits of the vault user as last seen, None where there is none.

    ``full_control`` is what an admin decided about that right, None: nothing. ``sources`` are the names of the user
    groups whose links give access; ``is_given`` and ``is_blocked`` are an admin's decision.
    """

    seen_roles: int | None = None
    full_control: bool | None = None
    sources: tuple[str, ...] = ()
    is_given: bool = False
    is_blocked: bool = False


def rights(facts: AccessFacts) -> str:
    """Return *Admin rights in this vault*; a decision that the vault does not show yet is said to come."""
    now = admin_rights(facts.seen_roles or 0)
    if has_full_control(facts.seen_roles or 0) == bool(facts.full_control) or facts.full_control is None:
        return now
    then = admin_rights(roles_for(facts.seen_roles or 0, facts.full_control))
    return f"{then}, once the vault has changed it" if facts.seen_roles is not None else f"{then}, with the vault user"


def access(facts: AccessFacts) -> str:
    """Return who gives or takes access."""
    if facts.is_blocked:
        return "Disabled by an admin"
    if facts.is_given:
        return "Given by an admin, and by links" if facts.sources else "Given by an admin"
    return "By links" if facts.sources else "Nobody gives access"


def left_without_gift(facts: AccessFacts) -> str:
    """Return what stays when what an admin gave is taken away."""
    if not facts.sources:
        return "No link gives access, so the vault user is disabled; it is not deleted."
    groups = ", ".join(facts.sources)
    return f"Links from {groups} still give access, so the vault user stays enabled."
