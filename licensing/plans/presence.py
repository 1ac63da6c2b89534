"""How a vault user stands, in words, decided from facts alone."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceFacts:
    """A vault user as recorded; ``seen_enabled`` None: the vault has no such user. ``sources`` are the names of the
    user groups whose links want it, ``is_given`` and ``is_blocked`` are what an admin decided, and ``vault_problem`` is
    the sentence of a vault that cannot be written to."""

    wanted_enabled: bool
    seen_enabled: bool | None
    disabled_by_person: bool = False
    is_due: bool = False
    reason: str = ""
    vault_problem: str = ""
    sources: tuple[str, ...] = ()
    is_given: bool = False
    is_blocked: bool = False


@dataclass(frozen=True, slots=True)
class PresenceView:
    state: str
    why: str


def view(facts: PresenceFacts) -> PresenceView:
    """Return the state in a word or two, and the reason in a sentence without a full stop."""
    if facts.is_blocked:
        facts = replace(facts, wanted_enabled=False)
    return PresenceView(_state(facts), _why(facts))


def _state(facts: PresenceFacts) -> str:
    if facts.seen_enabled is None:
        return "Not yet there" if facts.wanted_enabled else "Not there"
    return "Enabled" if facts.seen_enabled else "Disabled"


def _why(facts: PresenceFacts) -> str:
    trouble = facts.reason or (facts.vault_problem if facts.is_due else "")
    if trouble:
        return trouble.rstrip(".")
    if facts.wanted_enabled and facts.disabled_by_person:
        return "A person disabled it in the vault, so it stays disabled"
    if facts.wanted_enabled == bool(facts.seen_enabled):
        return _wish(facts)
    return f"{_wish(facts)}; the change is on its way"


def _wish(facts: PresenceFacts) -> str:
    if facts.is_blocked:
        return "An admin disabled it in this vault"
    if not facts.wanted_enabled:
        given = "An admin gave access, which takes an enabled account with a license"
        return given if facts.is_given else "No link gives access to this vault any more"
    groups = ", ".join(facts.sources)
    linked = f"linked from group{'s' * (len(facts.sources) > 1)} {groups}" if groups else ""
    given = "given by an admin" if facts.is_given else ""
    words = " and ".join(filter(None, [linked, given])) or "kept from a deleted configuration"
    return words[0].upper() + words[1:]
