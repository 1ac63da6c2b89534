"""``manage.py export log``: the log as a stream, for scripts."""

import csv
import io
import json
from datetime import timedelta

import pytest

from provisioning.models import AuditEntry
from provisioning.services.calls import record_failure
from tests.commandline import manage
from tests.factories import NOON, make_account, make_call, make_configuration, make_group, make_subscription

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(capsys):
    return lambda *words: manage(capsys, "export", "log", *words)


@pytest.fixture
def entra():
    """A user, a group, and a failure on the next day; and another subscription with a user."""
    configuration = make_configuration(make_subscription("Contoso"), "Entra")
    make_account(configuration, "=ann@contoso.example")
    make_group(configuration, "Legal")
    late = make_call(configuration, operation="update", at=NOON + timedelta(days=1))
    record_failure(late, status=409, detail="taken", resource_name="cy@contoso.example")
    make_account(make_configuration(make_subscription("Fabrikam"), "Okta"), "fay@fabrikam.example")
    return configuration


def names(answer):
    assert answer.code == 0, answer.err
    return [json.loads(line)["resource_name"] for line in answer.out.splitlines()]


def test_csv_is_harmless_in_a_spreadsheet(run, entra):
    rows = list(csv.DictReader(io.StringIO(run("--subscription", "Contoso").out)))

    assert [row["Name"] for row in rows] == ["cy@contoso.example", "Legal", "'=ann@contoso.example"]


def test_json_is_one_document_a_line(run, entra):
    document = json.loads(run("--subscription", "Contoso", "--json").out.splitlines()[0])

    assert document == {
        "at": "2026-05-13T12:00:00+00:00",
        "configuration": "Entra",
        "operation": "update",
        "resource_type": "User",
        "resource_name": "cy@contoso.example",
        "resource_id": "",
        "succeeded": False,
        "status": 409,
        "detail": "taken",
        "changes": {},
        "duration_ms": document["duration_ms"],
        "request_id": "test-request",
    }


ANN, LEGAL, CY, FAY = "=ann@contoso.example", "Legal", "cy@contoso.example", "fay@fabrikam.example"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], [CY, LEGAL, ANN, FAY]),
        (["--configuration", "Entra"], [CY, LEGAL, ANN]),
        (["--result", "failed"], [CY]),
        (["--operation", "create", "--type", "Group"], [LEGAL]),
        (["--search", "ANN@"], [ANN]),
        (["--from", "2026-05-13"], [CY]),
        (["--to", "2026-05-12", "--subscription", "Fabrikam"], [FAY]),
    ],
)
def test_filters(words, found, run, entra):
    assert names(run("--json", *words)) == found


def test_the_audit_log_says_who_took_it(run, entra):
    run("--result", "failed", "--subscription", "Contoso")

    entry = AuditEntry.objects.get(action="export")
    assert (entry.actor_name, entry.target, entry.changes) == (
        "manage.py export",
        "provisioning log",
        {"result": [None, "failed"]},
    )


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["--subscription", "Nobody"], 1, "There is no subscription “Nobody”."),
        (["--configuration", "Nobody"], 1, "There is no configuration “Nobody”."),
        (["--from", "yesterday"], 2, "write it like 2026-05-12"),
    ],
)
def test_what_is_not_there_is_said(words, code, reason, run, entra):
    answer = run(*words)

    assert (answer.code, answer.out) == (code, "")
    assert reason in answer.err
