"""``manage.py export users``: the file that the portal imports, as a stream."""

import csv
import io
import json

import pytest

from licensing.models import VaultUser
from licensing.services import choices
from provisioning.models import AuditEntry
from provisioning.queries import accounts, user_files
from provisioning.services import people
from provisioning.user_rows import TITLES, Cells, read
from tests.commandline import manage
from tests.factories import ACTOR, NOON, make_account, make_configuration, make_person, make_subscription, make_vault
from tests.licensing.people import NAMED, READ_ONLY, reconcile

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def contoso():
    """A provisioned user in two vaults, a pinned one, and a disabled manual one; and somebody elsewhere."""
    configuration = make_configuration(make_subscription("Contoso"), "Entra", default_license_type=NAMED)
    subscription = configuration.subscription
    ann = make_account(configuration, "ann@contoso.example", full_name="=cmd", info1="1001", info2="x;y")
    bo = make_account(configuration, "Bo@contoso.example")
    cy = make_person(subscription, "cy", email="cy@contoso.example")
    for name in ("Contracts", "Archive"):
        vault = make_vault(subscription, name)
        VaultUser.objects.create(
            subscription=subscription, vault=vault, account=ann, account_uid=ann.uid, seen_enabled=True
        )
    chosen = {"subscription": subscription, "license_type": READ_ONLY, "actor": ACTOR, "at": NOON}
    choices.pin(account_ids=[bo.pk], **chosen)
    choices.choose_manual(account_ids=[cy.pk], **chosen)
    people.disable_person(account=cy, actor=ACTOR, at=NOON)
    reconcile(subscription)
    make_person(make_subscription("Fabrikam"), "fay@fabrikam.example")
    return subscription


ROWS = [
    Cells(
        *("Internal user", "ann@contoso.example", "=cmd", "ann@contoso.example", "Named", "No Role", "Enabled"),
        *("1001", "x;y", "Archive|Contracts"),
    ),
    Cells(
        *("Internal user", "Bo@contoso.example", "Bo", "Bo@contoso.example", "Read only", "No Role", "Enabled"),
        *("", "", ""),
    ),
    Cells("Internal user", "cy", "Cy", "cy@contoso.example", "Read only", "No Role", "Disabled", "", "", ""),
]


def test_everybody_of_the_subscription_by_username_in_the_words_of_the_file(capsys, contoso):
    answer = manage(capsys, "export", "users", "--subscription", "Contoso")

    assert answer.code == 0
    rows, faults = read(answer.out.encode())
    assert (faults, [row.cells for row in rows]) == ([], ROWS)
    lines = list(csv.reader(io.StringIO(answer.out)))
    assert lines[0] == list(TITLES)
    assert lines[1][2] == "'=cmd"
    taken = AuditEntry.objects.latest("id")
    assert (taken.action, taken.target, taken.subscription) == ("export", "users", contoso)


def test_json_is_one_document_a_line(capsys, contoso):
    answer = manage(capsys, "export", "users", "--json")

    documents = [json.loads(line) for line in answer.out.splitlines()]
    assert documents[0] == ROWS[0]._asdict()
    assert [one["username"] for one in documents] == [*(row.username for row in ROWS), "fay@fabrikam.example"]


def test_a_piece_of_the_file_takes_three_statements(contoso, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(user_files, "_CHUNK", 2)

    with django_assert_num_queries(7):
        found = list(user_files.rows(accounts.internal_users(contoso, accounts.Wanted())))

    assert found == ROWS
