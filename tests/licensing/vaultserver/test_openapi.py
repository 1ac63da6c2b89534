"""The description of the vault agent contract: valid OpenAPI 3.1, true to the code, and the one that docs/ keeps."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema_rs import Draft202012Validator, meta
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from licensing.clients import wire
from licensing.clients.agent import ErrorCode, Outcome, VaultAgent
from licensing.clients.calls import CALLS, REFUSALS, refusals_of
from licensing.clients.fields import COM_FIELDS
from licensing.clients.openapi import describe
from licensing.vaultserver.routes import CONTRACT
from tests.commandline import manage
from tests.licensing.vaultserver.conftest import TOKEN
from tests.licensing.vaultserver.people import put_people

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "vault-agent.md").read_text()
DOCUMENT = describe()
SCHEMAS = DOCUMENT["components"]["schemas"]
BY_NAME = {call.name: call for call in CALLS}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        yield from ((method.upper(), path, operation) for method, operation in item.items())


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from references(item)


def test_the_file_in_docs_is_what_the_code_says():
    kept = (ROOT / "docs" / "vault-agent.openapi.json").read_text()

    assert kept == json.dumps(DOCUMENT, indent=2) + "\n", "write it anew with manage.py openapi --vault-agent"


def test_it_is_valid_openapi():
    assert [str(error) for error in OPENAPI_31_VALIDATOR.iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_in_it_is_valid_json_schema(name):
    meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **SCHEMAS[name]})


def test_what_is_referred_to_is_there_and_what_is_there_is_referred_to():
    there = {
        f"#/components/{kind}/{name}"
        for kind, parts in DOCUMENT["components"].items()
        for name in parts
        if kind != "securitySchemes"
    }

    assert there == set(references(DOCUMENT))


def test_every_method_of_the_agent_is_a_call_and_every_call_is_routed():
    methods = {name for name, value in vars(VaultAgent).items() if not name.startswith("_") and callable(value)}

    assert {operation["operationId"] for _, _, operation in operations()} == methods
    assert len(CONTRACT) == len(list(operations())) == len(methods)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_every_refusal_and_failure_of_a_call_is_described_with_its_status(call):
    operation = DOCUMENT["paths"][call.path][call.method.lower()]

    for code in refusals_of(call):
        assert f"`{code}`" in operation["responses"][str(REFUSALS[code].status)]["description"]
    for code in call.failures:
        assert REFUSALS[code].status is None
        assert f"`{code}`" in operation["description"]


def test_every_code_is_described_but_the_one_that_the_client_adds():
    described = json.dumps(DOCUMENT["paths"])

    assert set(REFUSALS) == set(ErrorCode) - {ErrorCode.NOT_AN_AGENT}
    assert [code for code in REFUSALS if f"`{code}`" not in described] == []
    assert SCHEMAS["ItemResult"]["properties"]["outcome"]["enum"] == list(Outcome)


@pytest.mark.parametrize(("code", "refusal"), REFUSALS.items())
def test_the_page_has_the_same_status_and_says_the_same_of_repeating(code, refusal):
    table = PAGE.partition("## Error codes")[2]
    (row,) = [line for line in table.splitlines() if re.match(rf"\| (`\w+`, )*`{code}`(, `\w+`)* \|", line)]
    _, _, status, retryable, *_ = (cell.strip() for cell in row.split("|"))

    assert status.partition(",")[0] == ("item" if refusal.status is None else str(refusal.status))
    assert retryable == ("yes" if refusal.retryable else "no")


def test_the_page_names_every_com_call_and_field_that_the_description_names():
    named = [name for call in CALLS for name in call.com]
    named += [text for kind in COM_FIELDS.values() for text in kind.values() if not text.startswith("none")]
    words = {word for text in named for word in re.findall(r"\b[A-Z]\w+\.(\w+)", text)}

    assert [word for word in sorted(words) if word not in PAGE] == []


@pytest.mark.parametrize(("name", "headers"), [("put_vault_users", {"Idempotency-Key"}), ("list_vault_users", set())])
def test_a_change_needs_a_key_and_a_listing_takes_a_cursor(name, headers):
    call = BY_NAME[name]
    named = [one["$ref"].rpartition("/")[2] for one in DOCUMENT["paths"][call.path][call.method.lower()]["parameters"]]
    needed = {one for one in named if DOCUMENT["components"]["parameters"][one]["required"]} - {"guid"}

    assert needed == headers
    assert ({"cursor", "limit", "If-None-Match"} <= set(named)) == call.is_paged


def test_it_asks_for_a_token_or_a_client_certificate():
    schemes = DOCUMENT["components"]["securitySchemes"]

    assert DOCUMENT["security"] == [{"bearer": []}, {"certificate": []}]
    assert (schemes["bearer"]["scheme"], schemes["certificate"]["type"]) == ("bearer", "mutualTLS")


def test_what_the_server_answers_is_as_described(agent, server, vault):
    put_people(agent, vault, "anna")
    validator = Draft202012Validator({**SCHEMAS["PageOfVaultUser"], "components": DOCUMENT["components"]})

    assert validator.is_valid(wire.dump(agent.list_vault_users(vault)))
    assert not validator.is_valid({"items": [{"key": 7}], "next_cursor": None})


def test_the_emulated_server_serves_it(url):
    answer = httpx.get(f"{url}/v1/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False)

    assert answer.json() == json.loads(json.dumps(DOCUMENT))


@pytest.mark.django_db(transaction=True)
def test_it_is_printed_for_people_and_for_programs(capsys):
    for words, lines in ((["openapi", "--vault-agent"], 1000), (["openapi", "--vault-agent", "--json"], 1)):
        answer = manage(capsys, *words)

        assert (answer.code, answer.document) == (0, json.loads(json.dumps(DOCUMENT)))
        assert answer.out.count("\n") >= lines
