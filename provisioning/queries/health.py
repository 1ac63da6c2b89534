"""How a configuration fares, in words: what stops it, what is worth a look, and what failed last."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.template.defaultfilters import date as format_date
from django.utils.timesince import timesince, timeuntil
from django.utils.timezone import localtime

from provisioning.call_texts import REFUSALS, advice
from provisioning.columns import Cell
from provisioning.models import ProvisioningConfiguration, ProvisioningLogEntry
from provisioning.services.secret_warnings import THRESHOLDS

WINDOW: Final = timedelta(hours=1)
"""How far back calls are counted."""
EXPIRY_WARNING: Final = timedelta(days=max(THRESHOLDS))
"""How long before its expiry a secret is spoken of."""
QUARANTINE_SHARE: Final = 0.4
"""Of this share of failed calls on Entra puts a configuration into quarantine (scim-cases F-1)."""
QUARANTINE_CALLS: Final = 20
"""Of fewer calls a share says nothing."""
SILENCE: Final = timedelta(minutes=80)
"""Two of Entra's cycles."""
_SHOWN_FAILURES: Final = 3
_Kind = ProvisioningConfiguration.Kind


@dataclass(frozen=True, slots=True)
class Health:
    """A configuration's state in a word; what stops it and what is worth a look, in sentences."""

    state: Cell
    problems: list[str]
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that failed, and what to do about it, which is said once for each kind of failure."""

    entry: ProvisioningLogEntry
    advice: str


def health(configuration: ProvisioningConfiguration, synchronizing: list[str], *, now: datetime) -> Health:
    """Return how a row of ``configurations`` fares; ``synchronizing`` is what ``synchronizing_vaults`` returned."""
    problems = list(_problems(configuration, synchronizing, now))
    warnings = list(_warnings(configuration, now))
    if configuration.paused_at:
        state = Cell("Paused", "waiting")
    elif problems:
        state = Cell("Problem", "problem", problems[0])
    elif configuration.first_contact_at is None:
        state = Cell("Waiting for first contact", "waiting")
    else:
        state = Cell("Connected", "good", warnings[0] if warnings else "")
    return Health(state, problems, warnings)


def newest_failures(configuration: ProvisioningConfiguration) -> list[Failure]:
    """Return the last calls that failed, newest first."""
    rows = ProvisioningLogEntry.objects.filter(configuration=configuration, is_success=False)
    told: set[str] = set()
    failures = []
    for entry in rows.order_by("-at", "-id")[:_SHOWN_FAILURES]:
        words = advice(entry.status)
        failures.append(Failure(entry, "" if words in told else words))
        told.add(words)
    return failures


def refusal(configuration: ProvisioningConfiguration) -> str:
    """Return why the identity provider was turned away, if it has not been let in since."""
    refused_at, last = configuration.refused_at, configuration.last_contact_at
    if refused_at is None or (last is not None and last >= refused_at):
        return ""
    return REFUSALS[configuration.refusal]


def _problems(configuration: ProvisioningConfiguration, synchronizing: list[str], now: datetime) -> Iterator[str]:
    if synchronizing:
        yield (
            f"User synchronization is on in {', '.join(synchronizing)}. Turn it off in M-Files Admin: "
            "two sources must not manage the same users."
        )
    if locked_out := _locked_out(configuration, now):
        yield locked_out
    if refused := refusal(configuration):
        yield refused
    if _may_be_quarantined(configuration):
        yield f"{_share(configuration)} {_OTHER_MAY_STOP if configuration.kind == _Kind.OTHER else _ENTRA_MAY_STOP}"
    if silent_since := _silent_since(configuration, now):
        yield (
            f"Microsoft Entra has not called for {timesince(silent_since, now, depth=1)}, and calls about every "
            "40 minutes. It may have stopped or quarantined this configuration: look at Provisioning there, mend what "
            "it names, then choose Restart provisioning."
        )


def _warnings(configuration: ProvisioningConfiguration, now: datetime) -> Iterator[str]:
    if configuration.paused_at:
        yield "It is paused: the calls of the identity provider are refused until somebody resumes it."
    if configuration.recent_failures and not _may_be_quarantined(configuration):  # type: ignore[attr-defined]
        yield f"{_share(configuration)} See the log for the reasons."
    yield from _expiries(configuration, now)


def _locked_out(configuration: ProvisioningConfiguration, now: datetime) -> str:
    """Return why the identity provider has no way in, and what to do."""
    if configuration.kind == _Kind.CLASSIC:
        return "" if configuration.issuer else "It trusts no issuer: Microsoft Entra is refused. Name one under Issuer."
    expires_at = configuration.secret_expires_at  # type: ignore[attr-defined]
    bearer_expires_at = configuration.bearer_expires_at  # type: ignore[attr-defined]
    if configuration.issuer or (bearer_expires_at and bearer_expires_at > now) or (expires_at and expires_at > now):
        return ""
    if bearer_expires_at and configuration.kind == _Kind.OTHER:
        return (
            "The bearer token has expired: the identity provider is refused. Create another one under Bearer token, or "
            "a client secret under Credentials."
        )
    if expires_at is None:
        return "It has no valid client secret: the identity provider gets no token. Create a new one under Credentials."
    return (
        "The client secret has expired: the identity provider gets no token any more. Create a new one under "
        "Credentials."
    )


def _expiries(configuration: ProvisioningConfiguration, now: datetime) -> Iterator[str]:
    expires_at: datetime | None = configuration.secret_expires_at  # type: ignore[attr-defined]
    if expires_at and now < expires_at <= now + EXPIRY_WARNING:
        yield (
            f"The client secret expires on {format_date(localtime(expires_at), 'j F Y')}, "
            f"in {timeuntil(expires_at, now, depth=1)}. "
            "Replace it before: both secrets work for the hours that you choose."
        )
    bearer_ends_at: datetime | None = configuration.bearer_ends_at  # type: ignore[attr-defined]
    if bearer_ends_at and bearer_ends_at <= now + EXPIRY_WARNING:
        yield (
            f"The bearer token expires on {format_date(localtime(bearer_ends_at), 'j F Y')}, "
            f"in {timeuntil(bearer_ends_at, now, depth=1)}. Give the identity provider another one before."
        )


def _may_be_quarantined(configuration: ProvisioningConfiguration) -> bool:
    calls, failures = configuration.calls_counted, configuration.failures_counted  # type: ignore[attr-defined]
    return bool(calls >= QUARANTINE_CALLS and failures > QUARANTINE_SHARE * calls)


def _silent_since(configuration: ProvisioningConfiguration, now: datetime) -> datetime | None:
    """Return since when Entra, which called for longer than two cycles, has been silent for longer than two."""
    first, last = configuration.first_contact_at, configuration.last_contact_at
    if first is None or last is None or configuration.paused_at or configuration.kind == _Kind.OTHER:
        return None
    return last if last - first >= SILENCE and now - last > SILENCE else None


def _share(configuration: ProvisioningConfiguration) -> str:
    """Return a sentence about the calls that failed in the last hour, by the log or by the counts, which come later."""
    failures = max(configuration.recent_failures, configuration.failures_counted)  # type: ignore[attr-defined]
    calls: int = configuration.calls_counted  # type: ignore[attr-defined]
    if calls > failures:
        percent = max(1, round(100 * failures / calls))
        return f"{failures:,} of {calls:,} calls ({percent} %) failed in the last hour."
    said = "1 call" if failures == 1 else f"{failures:,} calls"
    return f"{said} of the identity provider failed in the last hour."


_ENTRA_MAY_STOP: Final = (
    "Microsoft Entra may quarantine this configuration: it then tries again only after 6, 12 and 24 hours, and gives "
    "up after 28 days. Mend what failed, then choose Restart provisioning in Entra."
)
_OTHER_MAY_STOP: Final = "The identity provider may stop calling. Mend what failed."
