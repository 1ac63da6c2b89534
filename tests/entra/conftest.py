"""A SCIM service to provision into, and the parts of a run with short names."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from mfmanage.entra.reading import parse
from mfmanage.entra.restarts import PORTAL
from mfmanage.entra.results import ObjectResult, Summary
from mfmanage.entra.run import run
from mfmanage.entra.state import State
from tests.entra.builders import connect
from tests.entra.scim_server import Service, serving

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as service:
        yield service


class Simulator:
    """Provisions directory documents into a service, remembering from one to the next."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.state = State()
        self.results: list[ObjectResult] = []

    def __call__(self, document: dict[str, Any], **options: Any) -> Summary:
        self.results.clear()
        self.service.requests.clear()
        return run(
            connect(self.service), parse(document), state=self.state, now=NOON, report=self.results.append, **options
        )

    def restarted(self, document: dict[str, Any], **options: Any) -> Summary:
        """Provision as after *Restart provisioning*: the first cycle looks at every object."""
        return self(document, restart=PORTAL, **options)

    def result(self, name: str) -> ObjectResult:
        """Return the last result of the object called ``name``."""
        return next(result for result in reversed(self.results) if result.name == name)


@pytest.fixture
def provision(service: Service) -> Simulator:
    return Simulator(service)
