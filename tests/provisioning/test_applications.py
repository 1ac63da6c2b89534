"""Application accounts: what each deed does and refuses, and that persons' and providers' ways never meet them."""

import pytest
from django.db import connection

from licensing.models import LicenseGrant, LicensePool
from licensing.services import choices
from provisioning.license_types import LicenseType
from provisioning.models import AuditEntry, LoginAccount
from provisioning.queries import accounts as queries
from provisioning.queries import applications as application_queries
from provisioning.queries.account_pages import listing
from provisioning.services import accounts, applications, people, user_imports
from provisioning.user_rows import TITLES
from tests.factories import (
    ACTOR,
    NOON,
    due_ids,
    forget_due,
    make_account,
    make_application,
    make_person,
    make_subscription,
)
from tests.licensing.people import change_account, purchase, reconcile
from tests.provisioning.deeds import LATER, adopting
from tests.races import together

pytestmark = pytest.mark.django_db


def change(account, **fields):
    known = {"name": account.full_name, "client_id": account.username}
    return applications.change_application(account=account, actor=ACTOR, at=LATER, **{**known, **fields})


def do(deed, account):
    return deed(account=account, actor=ACTOR, at=LATER)


def last_audit():
    entry = AuditEntry.objects.latest("id")
    return entry.action, entry.target, entry.changes


def fresh(account):
    return LoginAccount.objects.get(pk=account.pk)


def test_one_is_made_enabled_without_role_or_provider_and_is_looked_at():
    made = make_application(make_subscription(), "scanner-1", name="Scanner of Berlin")

    found = fresh(made)
    assert (found.kind, found.full_name, found.username, found.username_key) == (
        "application",
        "Scanner of Berlin",
        "scanner-1",
        "scanner-1",
    )
    assert (found.is_enabled, found.role, found.user, found.configuration, found.scim_id) == (True, 0, None, None, None)
    assert made.pk in due_ids()
    assert last_audit() == (
        "create application account",
        "scanner-1",
        {"full_name": [None, "Scanner of Berlin"], "username": [None, "scanner-1"]},
    )


@pytest.mark.parametrize("letters", ["scanner", "SCANNER"])
def test_a_client_id_is_unique_among_all_accounts_in_whatever_letter_case(letters):
    subscription = make_subscription()
    make_person(subscription, "Scanner")
    other = make_application(subscription, "other")

    for deed in (lambda: make_application(subscription, letters), lambda: change(other, client_id=letters)):
        with pytest.raises(applications.ClientIdInUse, match=f"the client ID or username “{letters}” already"):
            deed()

    assert fresh(other).username == "other"
    make_application(make_subscription(), letters)


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        ({"client_id": ""}, {"username": "An application account needs a client ID."}),
        ({"name": ""}, {"full_name": "An application account needs a name."}),
        ({"client_id": " a"}, {"username": "Client ID begins or ends with a space. Take it away."}),
        ({"name": "a\nb"}, {"full_name": "Name has a line break or another control character. Take it out."}),
        ({"name": "x" * 257}, {"full_name": "Name has 257 characters; 256 are the most."}),
    ],
)
def test_fields_that_make_no_sense_are_refused_with_a_sentence(fields, problems):
    subscription = make_subscription()
    scanner = make_application(subscription)
    whole = {"name": "New", "client_id": "new", **fields}

    for refused in (
        lambda: change(scanner, **fields),
        lambda: applications.create_application(subscription=subscription, actor=ACTOR, at=NOON, **whole),
    ):
        with pytest.raises(applications.BadFields) as caught:
            refused()
        assert caught.value.problems == problems


def test_what_changes_is_logged_and_looked_at_and_what_stays_is_no_deed():
    scanner = make_application(make_subscription(), "scanner", name="Scanner")
    before = AuditEntry.objects.count()
    forget_due()

    change(scanner)
    assert (AuditEntry.objects.count(), due_ids()) == (before, set())

    change(scanner, name="Scanner 2", client_id="Scanner")
    assert last_audit() == (
        "change application account",
        "Scanner",
        {"full_name": ["Scanner", "Scanner 2"], "username": ["scanner", "Scanner"]},
    )
    assert (fresh(scanner).display_name_key, fresh(scanner).modified_at) == ("scanner 2", LATER)
    assert due_ids() == {scanner.pk}


def test_disabled_enabled_and_deleted_when_disabled():
    scanner = make_application(make_subscription(), "scanner", name="Scanner")

    with pytest.raises(applications.ApplicationEnabled, match="Disable the application account first, then delete"):
        do(applications.delete_application, scanner)
    do(applications.disable_application, scanner)
    do(applications.disable_application, scanner)
    assert (fresh(scanner).is_enabled, fresh(scanner).disabled_at) == (False, LATER)
    assert last_audit() == ("disable application account", "scanner", {"state": ["Enabled", "Disabled"]})
    do(applications.enable_application, scanner)
    assert (fresh(scanner).is_enabled, fresh(scanner).disabled_at) == (True, None)
    assert last_audit() == ("enable application account", "scanner", {"state": ["Disabled", "Enabled"]})
    do(applications.disable_application, scanner)
    do(applications.delete_application, LoginAccount.objects.get(pk=scanner.pk))

    assert last_audit() == ("delete application account", "scanner", {"full_name": ["Scanner", None]})
    assert AuditEntry.objects.filter(action="disable application account").count() == 2
    for deed in (
        applications.delete_application,
        applications.disable_application,
        applications.enable_application,
    ):
        with pytest.raises(applications.ApplicationGone):
            do(deed, scanner)
    with pytest.raises(applications.ApplicationGone):
        change(scanner, name="Other")


def test_deeds_on_persons_and_on_applications_do_not_touch_the_other_kind():
    subscription = make_subscription()
    ann, scanner = make_person(subscription), make_application(subscription)

    for deed, account in (
        (people.disable_person, scanner),
        (people.delete_person, scanner),
        (applications.disable_application, ann),
        (applications.delete_application, ann),
    ):
        with pytest.raises((people.PersonGone, applications.ApplicationGone)):
            do(deed, account)
    with pytest.raises(people.PersonGone):
        people.set_role(account=scanner, role=LoginAccount.Role.ACCESS_ADMIN, actor=ACTOR, at=LATER)

    assert (fresh(ann).is_enabled, fresh(scanner).is_enabled, fresh(scanner).role) == (True, True, 0)


def test_a_provider_neither_makes_adopts_nor_takes_the_name_of_an_application():
    subscription = make_subscription()
    scanner = make_application(subscription, "scanner@contoso.example")
    configuration = adopting(subscription)
    ann = make_account(configuration, "ann@contoso.example")

    with pytest.raises(accounts.UsernameTaken):
        make_account(configuration, "Scanner@contoso.example")
    with pytest.raises(accounts.UsernameTaken):
        change_account(ann, username="scanner@contoso.example")

    assert (fresh(scanner).configuration, fresh(scanner).scim_id) == (None, None)


def test_a_license_is_counted_in_its_pool_and_given_back():
    subscription = make_subscription()
    scanner = make_application(subscription)
    purchase(subscription, named=1)
    choices.choose_manual(
        subscription=subscription, account_ids=[scanner.pk], license_type=LicenseType.NAMED, actor=ACTOR, at=NOON
    )
    reconcile(subscription)

    def granted():
        return LicensePool.objects.get(subscription=subscription, license_type=LicenseType.NAMED).granted

    assert (LicenseGrant.objects.get(account=scanner).granted_type, granted()) == (LicenseType.NAMED, 1)
    do(applications.disable_application, scanner)
    do(applications.delete_application, scanner)
    assert granted() == 0


def test_lists_and_searches_of_internal_users_show_persons_only():
    subscription = make_subscription()
    ann = make_person(subscription, "ann@contoso.example", full_name="Ann")
    scanner = make_application(subscription, "ann-scanner", name="Ann's scanner")

    for wanted in (
        queries.Wanted(),
        queries.Wanted(search="ann"),
        queries.Wanted(state="enabled"),
        queries.Wanted(configuration="manual"),
        queries.Wanted(role="0"),
    ):
        for sort in ("name", "username", "email", "-change"):
            found = listing(subscription, wanted, sort=sort, cursor="")
            assert [row.pk for row in found.page.rows] == [ann.pk]
            assert found.number in {1, None}

    rows = application_queries.applications(subscription)
    assert application_queries.page_of(rows, search="ANN", cursor="").rows == [scanner]
    assert application_queries.page_of(rows, search="bob", cursor="").rows == []


def test_a_file_of_users_leaves_applications_alone():
    subscription = make_subscription()
    make_application(subscription, "scanner", name="Scanner")
    row = "Application account,scanner,Other,,No license,No Role,Enabled,,,"

    with pytest.raises(user_imports.FileFaulty) as caught:
        user_imports.upload(
            subscription=subscription,
            file_name="users.csv",
            data=f"{','.join(TITLES)}\n{row}\n".encode(),
            actor=ACTOR,
            at=NOON,
        )

    assert [tuple(fault) for fault in caught.value.faults] == [
        (2, "Username", "“scanner” is no internal user. A file changes these alone.")
    ]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_one_client_id_at_once_one_gets_it():
    subscription = make_subscription()

    def create(number):
        try:
            make_application(subscription, "scanner", name=f"Scanner {number}")
        except applications.ClientIdInUse:
            return "taken"
        return "made"

    assert sorted(together(2, create)) == ["made", "taken"]


def test_the_list_is_read_in_the_order_of_an_index_that_persons_are_not_in():
    subscription = make_subscription()
    make_application(subscription)
    statement = str(application_queries.applications(subscription).order_by("full_name", "id")[:51].query)
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    statement = statement.replace(" application", " 'application'")

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(explain + statement)
        plan = "\n".join(str(row[-1]) for row in cursor.fetchall())

    assert "account_application" in plan
    assert "Sort" not in plan
    assert "ORDER BY" not in plan
