"""scim2-tester finds no fault with the service: its command line, over HTTP, with a token of the token endpoint.

``README.md`` beside this file says what is judged, and where the judge is wrong.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import scim2_tester.checkers
from django.utils import timezone

from provisioning.models import ProvisioningConfiguration
from tests.factories import make_credentials

pytestmark = [pytest.mark.processes, pytest.mark.live]

SCIM2 = Path(sys.executable).with_name("scim2")
PATIENCE = 60.0
"""Seconds for one answer, on a machine that does other things, too."""
PUBLISHED_CHECKS = 135
SILENT = {"resource_type_tests", "core_schemas_validation"}
"""Among the checkers, but with no result: the first only runs others, the second is run by nothing."""


class Check(NamedTuple):
    """What the judge says of one thing; ``name`` is the checker's function."""

    status: str
    name: str
    reason: str


class Excuse(NamedTuple):
    """A check that is wrong about us; ``reason`` is a pattern of the first line, ``because`` tells the section."""

    name: str
    reason: str
    because: str


EXCUSES = (
    Excuse(
        "check_remove_attribute",
        r"PATCH modify\(\) did not remove attribute 'active'|Attribute 'active' was not removed",
        "RFC 7643 §4.1.1: an account is enabled or not, and the service tells which, even if the client unassigns it.",
    ),
)


@pytest.mark.parametrize("patch_status", [200, 204])
@pytest.mark.django_db(transaction=True)
def test_the_judge_finds_no_fault(live_server, settings, patch_status):
    settings.BASE_URL = live_server.url
    url, token = make_tenant(patch_status)
    assert status_of_a_user_patch(url, token) == patch_status

    code, output = judge(url, token)

    checks = read(output)
    faults = [check for check in checks if check.status != "SUCCESS"]
    assert [check for check in faults if not any(excuses(excuse, check) for excuse in EXCUSES)] == [], output
    assert [excuse for excuse in EXCUSES if not any(excuses(excuse, fault) for fault in faults)] == [], "stale excuses"
    assert code == (1 if faults else 0)
    assert len(checks) >= PUBLISHED_CHECKS
    assert {check.name for check in checks} == set(scim2_tester.checkers.__all__) - SILENT


def test_what_the_judge_prints_is_read():
    output = "Performing …\nSUCCESS one\nERROR two\n  it failed\n  badly\nSKIPPED three\n  why\n"

    checks = [("SUCCESS", "one", ""), ("ERROR", "two", "it failed\nbadly"), ("SKIPPED", "three", "why")]
    assert read(output) == checks


def make_tenant(patch_status: int) -> tuple[str, str]:
    """Return the Tenant URL of a new configuration and a token that opens it."""
    credentials = make_credentials(at=timezone.now())
    configuration, secret = credentials.configuration, credentials.client_secret
    ProvisioningConfiguration.objects.filter(pk=configuration.pk).update(user_patch_status=patch_status)
    form = {"grant_type": "client_credentials", "client_id": configuration.client_id, "client_secret": secret}
    answer = httpx.post(configuration.token_endpoint, data=form, timeout=PATIENCE)
    return configuration.tenant_url, answer.raise_for_status().json()["access_token"]


def status_of_a_user_patch(url: str, token: str) -> int:
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE) as client:
        user = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "a"}
        created = client.post("/Users", json=user).json()
        operation = {"op": "replace", "path": "title", "value": "b"}
        message = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}
        return client.patch(f"/Users/{created['id']}", json=message).status_code


def judge(url: str, token: str) -> tuple[int, str]:
    """Run ``scim2 test`` as a person does; a kept-open connection to Django's server costs 40 ms per request."""
    headers = {"SCIM_CLI_URL": url, "SCIM_CLI_HEADERS": f"Authorization: Bearer {token};Connection: close"}
    done = subprocess.run([SCIM2, "test"], env={**os.environ, **headers}, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def read(output: str) -> list[Check]:
    """Return the checks that ``scim2 test`` printed: a line each, its reason below it and indented."""
    checks: list[Check] = []
    for line in output.splitlines():
        if found := re.fullmatch(r"([A-Z]+) (\w+)", line):
            checks.append(Check(found[1], found[2], ""))
        elif line.startswith("  ") and checks:
            last = checks.pop()
            checks.append(last._replace(reason=f"{last.reason}\n{line[2:]}".strip()))
    return checks


def excuses(excuse: Excuse, check: Check) -> bool:
    return (
        excuse.name == check.name
        and re.fullmatch(excuse.reason, check.reason.partition("\n")[0].rstrip(".")) is not None
    )
