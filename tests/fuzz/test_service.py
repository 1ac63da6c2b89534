"""schemathesis holds the service and the token endpoint to their published description (tests/fuzz/README.md)."""

import os
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from scim.discovery import Capabilities
from scim.openapi.document import describe
from tests.factories import make_configuration, make_credentials
from tests.fuzz import MINUTES
from tests.fuzz.campaign import PHASES, Findings, run
from tests.fuzz.campaign import settings as told
from tests.scim.service import make_token

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

TOKEN = "/oauth/token"
SECONDS = int(float(os.environ.get(MINUTES, "0")) * 60) or None


def document(*paths: str) -> dict[str, Any]:
    """Return the description of these addresses only."""
    whole = deepcopy(describe(settings.BASE_URL, Capabilities()))
    return {**whole, "paths": {path: whole["paths"][path] for path in paths}}


def labels(described: dict[str, Any]) -> Iterator[str]:
    for path, item in described["paths"].items():
        yield from (f"{method.upper()} {path}" for method, found in item.items() if "responses" in found)


def report(findings: Findings) -> str:
    return "\n".join(f"{title}\n{failure}\n" for title, failure in findings.failures.items())


def test_the_service_answers_as_it_is_described():
    configuration = make_configuration()
    paths = [path for path in describe(settings.BASE_URL, Capabilities())["paths"] if path != TOKEN]
    headers = {"Authorization": f"Bearer {make_token(configuration)}"}

    found = run(
        document(*paths),
        base_url=f"http://localhost/scim/v2/{configuration.public_id}",
        told=told(examples=4, seconds=SECONDS, headers=headers),
    )

    assert not found.failures, report(found)
    assert found.phases == set(PHASES)
    assert found.operations == set(labels(document(*paths)))
    assert {200, 201, 204, 400, 404, 405, 409} <= found.statuses


def test_the_token_endpoint_answers_as_it_is_described():
    credentials = make_credentials(at=timezone.now())
    described = document(TOKEN)
    form = described["components"]["schemas"]["TokenRequest"]["properties"]
    form["client_id"] = {"enum": [credentials.configuration.client_id, "nobody"]}
    form["client_secret"] = {"enum": [credentials.client_secret, "wrong"]}

    found = run(described, base_url="http://localhost", told=told(examples=60, seconds=SECONDS))

    assert not found.failures, report(found)
    assert found.operations == {f"POST {TOKEN}"}
    assert {200, 400, 401, 405} <= found.statuses
