"""schemathesis holds the emulated vault server, over HTTP, to docs/vault-agent.openapi.json (tests/fuzz/README.md)."""

import os
from typing import Any

import pytest

from licensing.clients.openapi import describe
from licensing.vaultserver import admin
from licensing.vaultserver.app import Application
from licensing.vaultserver.core import VaultServer
from licensing.vaultserver.serving import listen, serving
from tests.fuzz import MINUTES
from tests.fuzz.campaign import PHASES, run
from tests.fuzz.test_service import labels, report
from tests.licensing.vaultserver.people import account, key, put_people

pytestmark = pytest.mark.processes

TOKEN = "token-of-the-fuzzed-server"
SECONDS = int(float(os.environ.get(MINUTES, "0")) * 60) or None
EXAMPLES = 4
# A key that two requests share is refused with 422, which JSON Schema cannot tell.
ACCEPTED = ["2xx", "304", "404", "409", "422"]
# Nor can it tell that each account of a call has its own uid.
OWN_UIDS = {
    "include-path": "/v1/vaults/{guid}/login-accounts/put",
    "checks": {"positive_data_acceptance": {"enabled": False}},
}
STRANGER = "00000000-0000-4000-8000-000000000000"


def told() -> dict[str, Any]:
    """Return what schemathesis is told: always the same requests, or ever new ones for some seconds."""
    fuzzing = {"generation": {"max-examples": EXAMPLES}}
    return {
        "headers": {"Authorization": f"Bearer {TOKEN}"},
        "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}},
        "operations": [OWN_UIDS],
        "generation": {"database": "none", "deterministic": SECONDS is None},
        "phases": {"fuzzing": fuzzing, "stateful": fuzzing},
        **({"seed": 1} if SECONDS is None else {"max-time": SECONDS}),
    }


def known(server: VaultServer, vault: str) -> dict[str, Any]:
    """Return the description with the vault, its groups and people among the values that are tried."""
    people = [one.uid for one in put_people(server, vault, "anna", "bert", "carl")]
    bare = account("dora")
    server.put_login_accounts(vault, [bare], idempotency_key=key())
    group = server.ensure_group(vault, "Legal", idempotency_key=key())
    document = describe()
    parameters, schemas = document["components"]["parameters"], document["components"]["schemas"]
    parameters["guid"]["schema"] = {"enum": [vault, STRANGER]}
    parameters["id"]["schema"] = {"type": "integer", "enum": [1, 2, group.id, 99]}
    uid = {"type": "string", "enum": [*people, bare.uid, STRANGER]}
    schemas["LoginAccountToPut"]["properties"]["uid"] = uid
    schemas["VaultUserWish"]["properties"]["account_uid"] = {"anyOf": [uid, {"type": "string"}]}
    return document


def test_the_emulated_vault_server_answers_as_the_contract_says():
    server = VaultServer()
    document = known(server, admin.create_vault(server, name="Contracts").guid)
    with listen("127.0.0.1", 0) as listener, serving(Application(server, token=TOKEN), listener) as url:
        found = run(document, base_url=url, told=told(), is_remote=True)
    server.close()

    assert not found.failures, report(found)
    assert found.phases >= set(PHASES) - {"examples", "stateful"}
    assert found.operations == set(labels(document))
    assert {200, 304, 400, 401, 404, 405, 409} <= found.statuses
