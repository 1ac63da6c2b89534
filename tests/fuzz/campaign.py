"""schemathesis over our own WSGI application: what it is told, and what it finds."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from django.core.wsgi import get_wsgi_application
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from scim.schema import RESOURCE_TYPES

# The service takes more than RFC 7643 asks for, so what is invalid by the description may succeed; and texts such as
# filters have rules that JSON Schema cannot tell, so what is valid by it may be refused. tests/scim/cases says which.
CHECKS = {"negative_data_rejection": {"enabled": False}, "positive_data_acceptance": {"enabled": False}}
NOT_OFFERED = {
    "include-path": "/Me",
    "checks": {**CHECKS, "not_a_server_error": {"enabled": False}, "unsupported_method": {"enabled": False}},
}
# What is systematic about parameters is asked of GET; HEAD runs the same code, and fuzzing asks it, too.
LIKE_GET = {"include-method": ["HEAD", "OPTIONS"], "phases": {"coverage": {"enabled": False}}}
PHASES = ("examples", "coverage", "fuzzing", "stateful")


@dataclass
class Findings:
    """``operations`` are the labels of what was asked; ``failures`` say what answered otherwise than described."""

    requests: int = 0
    operations: set[str] = field(default_factory=set)
    phases: set[str] = field(default_factory=set)
    statuses: set[int] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)


def settings(*, examples: int, seconds: int | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Return what schemathesis is told: always the same requests, or ever new ones for some seconds."""
    fuzzing = {"generation": {"max-examples": examples}}
    told: dict[str, Any] = {
        "headers": headers or {},
        "checks": CHECKS,
        "operations": [NOT_OFFERED, LIKE_GET],
        "generation": {"database": "none", "deterministic": seconds is None},
        "phases": {"fuzzing": fuzzing, "stateful": fuzzing},
        "dictionaries": {"filters": {"values": filters()}, "paths": {"values": paths()}},
        "parameters": {
            "query.filter": {"dictionary": "filters", "probability": 0.6},
            "body.filter": {"dictionary": "filters", "probability": 0.6},
            "query.sortBy": {"dictionary": "paths", "probability": 0.6},
            "body.sortBy": {"dictionary": "paths", "probability": 0.6},
            "query.attributes": {"dictionary": "paths", "probability": 0.3},
            "body.Operations[*].path": {"dictionary": "paths", "probability": 0.6},
        },
    }
    return told | ({"seed": 1} if seconds is None else {"max-time": seconds})


def paths() -> list[str]:
    """Return a path to every attribute, some of them into one element."""
    attributes = [attribute for found in RESOURCE_TYPES for attribute in found.attributes]
    extended = [f"{e.urn}:{a.name}" for found in RESOURCE_TYPES for e in found.extensions for a in e.attributes]
    subs = [f"{a.name}.{sub.name}" for a in attributes for sub in a.sub_attributes]
    chosen = [f'{a.name}[type eq "work"].value' for a in attributes if a.multi_valued and a.sub_attributes]
    return sorted({attribute.name for attribute in attributes} | {*extended, *subs, *chosen})


def filters() -> list[str]:
    """Return a filter on every attribute, and some that combine."""
    return [
        *(f'{path} {operator} "x"' for path in paths() if "[" not in path for operator in ("eq", "co")),
        'emails[type eq "work" and value co "@"] or not (title pr)',
        'meta.lastModified ge "2024-05-17T10:00:00+03:00" and active eq true',
        'members.value eq "x" or displayName sw "a"',
        "userName pr",
    ]


def run(document: dict[str, Any], *, base_url: str, told: dict[str, Any], is_remote: bool = False) -> Findings:
    """Ask for everything that ``document`` says is answered: our own service, or a server that listens at the URL."""
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(told))
    schema.app = None if is_remote else get_wsgi_application()
    schema.config.update(base_url=base_url)
    findings = Findings()
    for event in from_schema(schema).execute():
        _take(event, findings)
    return findings


def _take(event: Any, findings: Findings) -> None:
    if isinstance(event, events.ScenarioFinished):
        findings.phases.add(str(event.phase))
        for case_id, interaction in event.recorder.interactions.items():
            findings.requests += 1
            findings.operations.add(event.recorder.cases[case_id].value.operation.label)
            if interaction.response is not None:
                findings.statuses.add(interaction.response.status_code)
        for title, failure in _failures(event.recorder):
            findings.failures.setdefault(title, failure)
    elif isinstance(event, events.NonFatalError):
        findings.failures.setdefault(f"{event.label}: {event.value!r}"[:300], "")
    elif isinstance(event, events.FatalError):
        findings.failures.setdefault(f"{event.exception!r}"[:300], "")


def _failures(recorder: Any) -> Iterator[tuple[str, str]]:
    for case_id, checks in recorder.checks.items():
        operation = recorder.cases[case_id].value.operation.label
        for check in checks:
            if check.status is Status.FAILURE:
                found = check.failure_info
                yield (
                    f"{operation}: {check.name}: {found.failure.title}",
                    f"{found.failure.message[:1_000]}\n{found.code_sample[:1_000]}",
                )
