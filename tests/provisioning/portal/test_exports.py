"""The log as a file: what the filter shows, all of it, harmless in a spreadsheet, and noted in the audit log."""

import csv
import io
import json
import tracemalloc

import pytest

from provisioning import exports
from provisioning.call_files import TITLES
from provisioning.models import AuditEntry, LoginAccount, ProvisioningLogEntry
from provisioning.queries import logs
from provisioning.services.calls import record_failure
from tests.factories import NOON, make_account, make_admin, make_call, make_subscription


@pytest.fixture
def log(contoso):
    return contoso.url("provisioning/log/")


def text_of(answer):
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(text_of(answer))))


def test_csv_has_every_call_newest_first(contoso, admin, log):
    answer = admin.get(f"{log}calls.csv")

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="provisioning-log.csv"'
    rows = rows_of(answer)
    assert list(rows[0]) == list(TITLES)
    assert [row["Name"] for row in rows] == ["Legal", "bo@contoso.example", "ann@contoso.example"]
    assert (rows[2]["Time"], rows[2]["Result"], rows[2]["Configuration"]) == (
        "2026-05-12T12:00:00+00:00",
        "succeeded",
        "Contoso Entra ID",
    )
    assert "Username: – → ann@contoso.example" in rows[2]["Changes"]


def test_json_is_one_array_with_the_changes_by_scims_names(contoso, admin, log):
    answer = admin.get(f"{log}calls.json?q=ann")

    assert answer["Content-Type"] == "application/json"
    (document,) = json.loads(text_of(answer))
    assert document["resource_id"] == contoso.ann.scim_id
    assert document["changes"]["userName"] == [None, "ann@contoso.example"]
    assert (document["operation"], document["succeeded"]) == ("create", True)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("result=failed", []),
        ("type=Group", ["Legal"]),
        ("q=bo%40", ["bo@contoso.example"]),
        ("operation=create&first_day=2026-05-13", []),
        ("page=nonsense&q=legal", ["Legal"]),
    ],
)
def test_a_file_has_what_the_filter_shows(query, names, admin, log):
    assert [row["Name"] for row in rows_of(admin.get(f"{log}calls.csv?{query}"))] == names
    assert [one["resource_name"] for one in json.loads(text_of(admin.get(f"{log}calls.json?{query}")))] == names


def test_a_long_log_is_written_whole_across_pieces(contoso, admin, log, monkeypatch):
    monkeypatch.setattr(logs, "_EXPORT_CHUNK", 4)
    for number in range(11):
        record_failure(make_call(contoso.configuration), status=409, detail="", resource_name=f"name {number}")

    rows = rows_of(admin.get(f"{log}calls.csv?result=failed"))

    assert [row["Name"] for row in rows] == [f"name {number}" for number in reversed(range(11))]


def test_the_memory_of_an_export_does_not_grow_with_the_log(contoso, monkeypatch):
    monkeypatch.setattr(logs, "_EXPORT_CHUNK", 20)
    entry = ProvisioningLogEntry.objects.latest("id")
    more = [ProvisioningLogEntry(**_copy(entry, number)) for number in range(1_000)]
    ProvisioningLogEntry.objects.bulk_create(more)
    wanted = logs.Wanted(result="failed")
    list(logs.all_calls(contoso.subscription, wanted))
    tracemalloc.start()

    peaks = [_peak(contoso, wanted, rows) for rows in (100, 1_000)]

    tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5


def _copy(entry, number):
    values = {field.attname: getattr(entry, field.attname) for field in entry._meta.fields if field.attname != "id"}
    return values | {"is_success": False, "detail": f"{number} " * 500}


def _peak(contoso, wanted, rows):
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    seen = sum(1 for _, _ in zip(logs.all_calls(contoso.subscription, wanted), range(rows), strict=False))
    assert seen == rows
    return tracemalloc.get_traced_memory()[1] - before


@pytest.mark.parametrize("text", ["=1+1", "+358", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "\uff201"])
def test_a_spreadsheet_runs_nothing(text):
    _, line = exports.csv_lines(["Name"], [[text]])

    assert next(csv.reader(io.StringIO(line))) == [f"'{text}"]


def test_numbers_and_harmless_texts_stay_as_they_are():
    assert list(exports.csv_lines(["a", "b", "c"], [[-1.5, "x=1", 'say "hi", Ö']])) == [
        "a,b,c\r\n",
        '-1.5,x=1,"say ""hi"", Ö"\r\n',
    ]


def test_an_empty_array_is_json_too():
    assert json.loads("".join(exports.json_array([]))) == []


def test_a_name_that_is_a_formula_is_harmless_in_the_file(contoso, admin, log):
    make_account(contoso.configuration, '=HYPERLINK("https://evil.example")@contoso.example')

    assert rows_of(admin.get(f"{log}calls.csv?q=HYPERLINK"))[0]["Name"].startswith("'=HYPERLINK")


def test_who_took_the_log_stands_in_the_audit_log(admin, log):
    text_of(admin.get(f"{log}calls.csv?q=ann&result=&page=x"))

    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.target, entry.actor_name) == (
        "export",
        "provisioning log as CSV",
        "root@contoso.example",
    )
    assert entry.changes == {"q": [None, "ann"]}


@pytest.mark.parametrize("form", ["csv", "json"])
def test_only_who_may_see_the_log_may_take_it(form, contoso, sign_in, log):
    billing = sign_in(make_admin(contoso.subscription, role=LoginAccount.Role.BILLING_ADMIN))
    stranger = sign_in(make_admin(make_subscription("Fabrikam"), at=NOON))

    assert billing.get(f"{log}calls.{form}").status_code == 404
    assert stranger.get(f"{log}calls.{form}").status_code == 404
    assert not AuditEntry.objects.filter(action="export").exists()
