"""``manage.py export licenses``: every account with its license and why, as a stream."""

import csv
import io
import json
import tracemalloc

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licensing.services import license_rows, reasons
from provisioning.models import AuditEntry, LoginAccount
from tests.commandline import manage
from tests.factories import NOON, make_account, make_configuration, make_subscription
from tests.licensing.people import MINUTE, NAMED, READ_ONLY, disable, purchase, reconcile

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(capsys):
    return lambda *words: manage(capsys, "export", "licenses", *words)


@pytest.fixture
def contoso():
    """Ann has the only Named license, Bob waits for it, Cy is disabled, Dan is not yet looked at."""
    subscription = make_subscription("Contoso")
    purchase(subscription, named=1)
    configuration = make_configuration(subscription, "Entra", default_license_type=NAMED)
    make_account(configuration, "ann", full_name="=Ann")
    make_account(configuration, "bob", at=NOON + MINUTE)
    disable(make_account(configuration, "cy"))
    reconcile(subscription, now=NOON + MINUTE)
    make_account(configuration, "dan")
    return subscription


def test_csv_says_of_every_account_what_it_has_and_why(run, contoso):
    answer = run("--subscription", "Contoso")

    assert answer.code == 0, answer.err
    assert list(csv.reader(io.StringIO(answer.out))) == [
        list(license_rows.TITLES),
        [
            *("ann", "'=Ann", "Enabled", "Named", "Named", "no", ""),
            *("2026-05-12T12:00:00+00:00", "2026-05-12T12:01:00+00:00"),
            "Named, the default of Entra (asked 12 May, granted 12 May)",
        ],
        [
            *("bob", "Bob", "Enabled", "Named", "No license", "yes", "1", "2026-05-12T12:01:00+00:00", ""),
            "Waits for Named, place 1 of 1, has no license meanwhile",
        ],
        [
            *("cy", "Cy", "Disabled", "No license", "No license", "no", "", "", ""),
            "No license: the account is disabled",
        ],
        ["dan", "Dan", "Enabled", "No license", "No license", "no", "", "", "", "Not yet looked at"],
    ]


def test_json_is_one_document_a_line(run, contoso):
    documents = [json.loads(line) for line in run("--json").out.splitlines()]

    assert [document["username"] for document in documents] == ["ann", "bob", "cy", "dan"]
    assert documents[1] == {
        "username": "bob",
        "full_name": "Bob",
        "state": "enabled",
        "wanted": "named",
        "granted": "none",
        "waiting": True,
        "place": 1,
        "asked_at": "2026-05-12T12:01:00+00:00",
        "granted_at": None,
        "why": "Waits for Named, place 1 of 1, has no license meanwhile",
    }


def test_without_a_subscription_all_are_told_one_after_the_other(run, contoso):
    make_account(make_configuration(make_subscription("Adatum")), "zoe")

    names = [json.loads(line)["username"] for line in run("--json").out.splitlines()]

    assert names == ["zoe", "ann", "bob", "cy", "dan"]


def test_the_audit_log_says_who_took_it(run, contoso):
    run("--subscription", "Contoso")

    act = AuditEntry.objects.get(action="export")
    assert (act.actor_name, act.target, act.changes) == ("manage.py export", "licenses", {})


def test_what_is_not_there_is_said(run):
    answer = run("--subscription", "Nobody")

    assert (answer.code, answer.out) == (1, "")
    assert "There is no subscription “Nobody”." in answer.err


def test_options_of_another_kind_are_a_usage_error(run, contoso):
    answer = run("--result", "failed")

    assert (answer.code, answer.out) == (2, "")


def test_every_account_is_told_once_however_the_pages_fall(contoso, monkeypatch):
    monkeypatch.setattr(license_rows, "_PAGE", 2)

    assert [row.account.username for row in license_rows.rows(contoso, NOON)] == ["ann", "bob", "cy", "dan"]


def waiting_accounts(number):
    """A subscription in which so many wait."""
    configuration = make_configuration(default_license_type=READ_ONLY)
    accounts = [make_account(configuration) for _ in range(number)]
    reconcile(configuration.subscription)
    return accounts


def test_reasons_take_as_many_statements_for_many_accounts_as_for_one():
    def statements(number):
        accounts = waiting_accounts(number)
        with CaptureQueriesContext(connection) as captured:
            found = reasons.many(accounts, NOON)
        assert sorted(reason.place for reason in found.values()) == list(range(1, number + 1))
        return len(captured)

    assert statements(30) == statements(1) == 2


def test_places_are_told_apart_by_subscription():
    own, other = waiting_accounts(2), waiting_accounts(3)

    found = reasons.many([*own, *other], NOON)

    assert [found[account.pk].queue for account in (*own, *other)] == [2, 2, 3, 3, 3]


def test_the_memory_of_an_export_does_not_grow_with_the_accounts(monkeypatch):
    monkeypatch.setattr(license_rows, "_PAGE", 20)
    subscription = waiting_accounts(20)[0].subscription

    def peak():
        tracemalloc.start()
        told = sum(1 for _ in license_rows.rows(subscription, NOON))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return told, most

    peak()
    few, small = peak()
    configuration = LoginAccount.objects.filter(subscription=subscription)[0].configuration
    for _ in range(180):
        make_account(configuration)
    many, large = peak()

    assert (few, many) == (20, 200)
    assert large < 2 * small
