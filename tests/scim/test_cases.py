"""Every scenario in ``cases/`` holds: through Django's handler, and over HTTP against a server."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings

from provisioning.models import ProvisioningConfiguration, ProvisioningLogEntry
from tests.factories import make_configuration
from tests.scim.matching import compare
from tests.scim.scenarios import CASES, Reply, Scenario, Send, load
from tests.scim.service import in_process, make_token

FILES = sorted(CASES.glob("*/*.json"))
NAMES = [str(path.relative_to(CASES)) for path in FILES]


def over_http(configuration: ProvisioningConfiguration, address: str, client: httpx.Client) -> Send:
    def send(method: str, path: str, headers: dict[str, str], content: bytes) -> Reply:
        url = f"{address}/scim/v2/{configuration.public_id}{path}"
        response = client.request(method, url, headers=headers, content=content)
        names = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, names, response.json() if response.content else None)

    return send


def run(case: dict[str, Any], configuration: ProvisioningConfiguration, send: Send) -> None:
    if settings_of_case := case.get("configuration"):
        ProvisioningConfiguration.objects.filter(pk=configuration.pk).update(**settings_of_case)
    base = f"{settings.BASE_URL}/scim/v2/{configuration.public_id}"
    Scenario(send, make_token(configuration), {"base": base}).run(case)
    if "log" in case:
        rows = ProvisioningLogEntry.objects.filter(configuration=configuration).order_by("pk").values()
        compare(case["log"], list(rows), "log")


@pytest.mark.django_db
@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_the_scenario_holds(path: Path):
    configuration = make_configuration()

    run(load(path), configuration, in_process(configuration))


@pytest.mark.live
@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_all_scenarios_hold_over_http(live_server):
    failures = []
    headers = {"User-Agent": "", "Connection": "close"}  # kept open, each costs 40 ms
    with httpx.Client(headers=headers, timeout=30) as client:
        for path in FILES:
            configuration = make_configuration()
            try:
                run(load(path), configuration, over_http(configuration, live_server.url, client))
            except (AssertionError, httpx.HTTPError) as error:
                failures.append(f"{path.relative_to(CASES)}: {error}")

    assert failures == []
