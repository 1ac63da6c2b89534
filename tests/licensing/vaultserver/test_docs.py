"""docs/vault-agent.md says all that the emulated server does."""

import re
from pathlib import Path

import pytest

from licensing.clients.agent import ErrorCode, Outcome
from licensing.vaultserver.faults import Faults
from licensing.vaultserver.routes import ADMIN, CONTRACT

PAGE = (Path(__file__).parents[3] / "docs" / "vault-agent.md").read_text()
NAMES = {
    "<vault>": "{guid}",
    "users/<who>": "users/{key or username}",
    "login-accounts/<who>": "login-accounts/{username}",
    "<name>": "{name}",
}


@pytest.mark.parametrize(("method", "path"), [route[:2] for route in CONTRACT + ADMIN])
def test_every_call_is_described(method, path):
    path = re.sub(r"<int\(\S+\):group_id>", "{id}", path)
    for variable, documented in NAMES.items():
        path = path.replace(variable, documented)

    assert re.search(rf"`({method}|[A-Z]+`, `{method}|{method}`, `[A-Z]+) {re.escape(path)}`", PAGE)


@pytest.mark.parametrize("word", [*ErrorCode, *Outcome, *Faults.__dataclass_fields__])
def test_every_word_of_the_contract_is_explained(word):
    assert f"`{word}`" in PAGE
