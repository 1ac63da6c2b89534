"""Why an account has its license or waits, in one sentence (1-product §1.4, rule 8)."""

from dataclasses import dataclass
from datetime import date

from licensing.plans.licenses import SourceKind
from provisioning.license_types import LicenseType

NONE = LicenseType.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyFacts:
    """What the engine used for an account; days are in the subscription's time zone, ``today`` too.

    ``source_name`` is the name of the configuration or of the group. ``place`` of ``queue`` is the account's place
    among those who wait for the same type. ``looked_at`` is False until the workers have seen the account.
    """

    today: date
    looked_at: bool = True
    is_enabled: bool = True
    is_removed: bool = False
    wanted: LicenseType = NONE
    granted: LicenseType = NONE
    source: SourceKind = SourceKind.NOTHING
    source_name: str = ""
    asked_on: date | None = None
    granted_on: date | None = None
    release_due_on: date | None = None
    place: int = 0
    queue: int = 0


def why(facts: WhyFacts) -> str:
    """Return the sentence, without a full stop."""
    if not facts.looked_at:
        return "Not yet looked at"
    if not facts.is_enabled:
        return _of_a_disabled_account(facts)
    if facts.wanted == NONE:
        return _without_license(facts)
    if facts.wanted != facts.granted:
        return _waiting(facts)
    source = source_words(facts.source, facts.source_name)
    asked, granted = _day(facts.asked_on, facts.today), _day(facts.granted_on, facts.today)
    return f"{facts.granted.label}, {source} (asked {asked}, granted {granted})"


def _of_a_disabled_account(facts: WhyFacts) -> str:
    reason = "was removed by the identity provider" if facts.is_removed else "is disabled"
    if facts.granted == NONE:
        return f"No license: the account {reason}"
    if facts.release_due_on is None:
        return f"{facts.granted.label}, kept although the account {reason}"
    return f"{facts.granted.label} until {_day(facts.release_due_on, facts.today)}, because the account {reason}"


def _without_license(facts: WhyFacts) -> str:
    if facts.source is SourceKind.PIN:
        return "No license, as pinned to the account"
    return "No license: neither the account itself, its configuration nor a group gives one"


def _waiting(facts: WhyFacts) -> str:
    has = "no license" if facts.granted == NONE else facts.granted.label
    return f"Waits for {facts.wanted.label}, place {facts.place} of {facts.queue}, has {has} meanwhile"


def source_words(source: SourceKind, name: str) -> str:
    """Return what gives a license type; ``name`` is the name of the group or of the configuration."""
    match source:
        case SourceKind.GROUP:
            return f"from group {name}"
        case SourceKind.PIN:
            return "pinned to the account"
        case SourceKind.MANUAL:
            return "chosen by a person"
    return f"the default of {name}"


def _day(day: date | None, today: date) -> str:
    """Return ``12 May``, with the year when it is another than today's."""
    if day is None:
        return "at an unknown time"
    text = f"{day.day} {day:%B}"
    return text if day.year == today.year else f"{text} {day.year}"
