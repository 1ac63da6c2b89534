"""The first steps of a configuration, as its page shows them live: token, connection test, first user, first group."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zlib import crc32

from provisioning.call_texts import advice
from provisioning.models import ProvisioningConfiguration, ProvisioningLogEntry
from provisioning.queries.health import refusal

_EARLY_CALLS: Final = 1_000
"""The steps are looked for among this many of a configuration's first calls, however long its log is."""


@dataclass(frozen=True, slots=True)
class Step:
    """``what`` is what happened, or what is waited for; ``problem`` is why it has not happened, and what to do."""

    title: str
    is_done: bool
    what: str
    at: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """``state`` is the same as long as nothing happens: a page that knows it needs no new one."""

    steps: list[Step]

    @property
    def is_complete(self) -> bool:
        return all(step.is_done for step in self.steps)

    @property
    def state(self) -> str:
        return f"{crc32(repr(self.steps).encode()):08x}"


@dataclass(frozen=True, slots=True)
class _Sought:
    title: str
    waiting: str
    elsewhere: str
    """What is waited for where the identity provider is not Microsoft Entra."""
    operation: str = ""
    resource_type: str = ""


_TEST: Final = _Sought(
    "Connection test",
    "Choose Test Connection in Entra. It calls the Tenant URL with its token.",
    "Test the connection at the identity provider. It calls the Tenant URL with its token.",
    "query",
)
_USER: Final = _Sought(
    "First user",
    "Assign users in Entra and turn provisioning on. The first arrive within minutes.",
    "Assign users at the identity provider and turn provisioning on.",
    "create",
    "User",
)
_GROUP: Final = _Sought(
    "First group",
    "Groups follow the users. If none is assigned in Entra, this step stays open.",
    "Groups follow the users. If none is pushed, this step stays open.",
    "create",
    "Group",
)
_WAYS_IN: Final = {
    "gallery": (
        "Token issued",
        "Fill in the four values in Entra and choose Test Connection.",
        "The client ID and the client secret are right.",
    ),
    "other": (
        "Token accepted",
        "Fill in the four values, or the Tenant URL and a bearer token, at the provider, and test the connection.",
        "The credentials are right.",
    ),
    "classic": (
        "Token accepted",
        "Fill in the Tenant URL in Entra, leave the secret token empty and choose Test Connection.",
        "The token that Entra signed is trusted.",
    ),
}
"""The title of the first step, what is waited for, and what has happened, by the kind of configuration."""


def progress(configuration: ProvisioningConfiguration) -> Progress:
    """Return how far a row of ``configurations`` has come."""
    rows = ProvisioningLogEntry.objects.filter(configuration=configuration).only(
        "at", "operation", "resource_type", "resource_name", "status", "is_success", "detail"
    )
    early = list(rows.order_by("at", "id")[:_EARLY_CALLS])
    has_users, has_groups = configuration.users_count > 0, configuration.groups_count > 0  # type: ignore[attr-defined]
    kind = configuration.kind
    user = _step(_USER, kind, early, is_there=has_users)
    group = _step(_GROUP, kind, early, is_there=has_groups)
    answered = configuration.calls_counted > configuration.failures_counted  # type: ignore[attr-defined]
    test = _step(_TEST, kind, early, is_there=user.is_done or group.is_done or answered)
    return Progress(_blamed([_token(configuration), test, user, group], configuration, early))


def _token(configuration: ProvisioningConfiguration) -> Step:
    at = configuration.first_contact_at
    title, waiting, done = _WAYS_IN[configuration.kind]
    return Step(title, is_done=at is not None, what=waiting if at is None else done, at=at)


def _step(sought: _Sought, kind: str, early: Iterable[ProvisioningLogEntry], *, is_there: bool) -> Step:
    """Return the step as done by the first call that fits, or by what is there though the log has forgotten it."""
    for entry in early:
        if entry.is_success and entry.operation == sought.operation and sought.resource_type in entry.resource_type:
            what = entry.resource_name or "The Tenant URL and the token are right."
            return Step(sought.title, is_done=True, what=what, at=entry.at)
    waiting = sought.elsewhere if kind == ProvisioningConfiguration.Kind.OTHER else sought.waiting
    return Step(sought.title, is_done=is_there, what="It has happened." if is_there else waiting)


def _blamed(
    steps: list[Step], configuration: ProvisioningConfiguration, early: list[ProvisioningLogEntry]
) -> list[Step]:
    """Say at the first step that has not happened why that is, as far as it is known."""
    for number, step in enumerate(steps):
        if not step.is_done:
            problem = _problem(configuration, early)
            return [
                *steps[:number],
                Step(step.title, is_done=False, what=step.what, problem=problem),
                *steps[number + 1 :],
            ]
    return steps


def _problem(configuration: ProvisioningConfiguration, early: list[ProvisioningLogEntry]) -> str:
    if configuration.paused_at:
        return "The configuration is paused, so every call is refused. Resume it."
    if refused := refusal(configuration):
        return refused
    if 0 < len(early) < _EARLY_CALLS and not early[-1].is_success:
        last = early[-1]
        return " ".join(
            filter(None, [f"{last.resource_name}:" if last.resource_name else "", last.detail, advice(last.status)])
        )
    return ""
