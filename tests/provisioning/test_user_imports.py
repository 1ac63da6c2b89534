"""A file of users from the upload to the last license: whole or not at all, once, whoever carries it on."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licensing.models import LicenseGrant
from licensing.services import previews, user_files
from provisioning import tasks
from provisioning.actor import Actor
from provisioning.exports import csv_lines
from provisioning.models import AuditEntry, LoginAccount, UserImport
from provisioning.queries import accounts
from provisioning.queries.user_files import rows
from provisioning.services import people, user_imports
from provisioning.user_rows import TITLES, Asked
from tests.factories import ACTOR, NOON, make_account, make_admin, make_configuration, make_person
from tests.licensing.people import NAMED, READ_ONLY, has, license_of, pool, purchase, reconcile
from tests.provisioning.deeds import LATER
from tests.races import together

pytestmark = pytest.mark.django_db
Role = LoginAccount.Role


@pytest.fixture
def contoso():
    """An admin, a provisioned user who has Read only, a manual one, and a disabled one; licenses of two types."""
    configuration = make_configuration(name="Entra", default_license_type=READ_ONLY)
    subscription = configuration.subscription
    purchase(subscription, named=1, read_only=5)
    make_admin(subscription, "root@contoso.example")
    make_account(configuration, "ann@contoso.example")
    make_person(subscription, "bo@contoso.example")
    people.disable_person(account=make_person(subscription, "off@contoso.example"), actor=ACTOR, at=NOON)
    reconcile(subscription)
    return subscription


def exported(subscription):
    return {row.username: row for row in rows(accounts.internal_users(subscription, accounts.Wanted()))}


def upload(subscription, *cells, actor=ACTOR):
    data = "".join(csv_lines(TITLES, cells)).encode()
    return user_imports.upload(subscription=subscription, file_name="users.csv", data=data, actor=actor, at=NOON)


def confirmed(subscription, *cells, actor=ACTOR):
    found = upload(subscription, *cells)
    assert user_imports.confirm(user_import=found, actor=actor, at=LATER)
    return found


def applied(subscription, *cells, actor=ACTOR):
    found = confirmed(subscription, *cells, actor=actor)
    user_imports.apply(import_id=found.pk, at=LATER)
    found.refresh_from_db()
    return found


def account(username):
    return LoginAccount.objects.get(username_key=username)


def everything(subscription):
    """A row of every sort."""
    sheet = exported(subscription)
    return [
        sheet["ann@contoso.example"]._replace(license_type="Named", role="Access Admin"),
        sheet["bo@contoso.example"]._replace(full_name="Bo Öberg", state="Disabled", license_type="Read only"),
        sheet["off@contoso.example"]._replace(state="Deleted"),
        sheet["bo@contoso.example"]._replace(
            username="New@contoso.example", state="Added", license_type="Read only", info1="1001"
        ),
    ]


def test_what_is_exported_changes_nothing(contoso):
    with pytest.raises(user_imports.NothingToImport):
        upload(contoso, *exported(contoso).values())

    assert not UserImport.objects.exists()


def test_every_row_is_done_and_every_deed_is_audited(contoso):
    found = applied(contoso, *everything(contoso))
    reconcile(contoso, now=LATER)

    assert (found.outcome["done"], found.outcome["refused"], found.applied_at) == (4, [], LATER)
    ann, bo, new = (account(f"{name}@contoso.example") for name in ("ann", "bo", "new"))
    assert (ann.role, has(ann)) == (Role.ACCESS_ADMIN, NAMED)
    assert (bo.full_name, bo.is_enabled, bo.license_grant.manual_type) == ("Bo Öberg", False, READ_ONLY)
    assert (new.username, new.info1, has(new)) == ("New@contoso.example", "1001", READ_ONLY)
    assert not LoginAccount.objects.filter(username_key="off@contoso.example").exists()
    actions = list(AuditEntry.objects.filter(at=LATER).order_by("id").values_list("action", flat=True))
    assert actions == [
        *("import users", "delete user", "change user", "change user", "disable user", "create user"),
        *("choose license type", "pin license type"),
    ]


def test_the_license_preview_equals_what_comes_of_it(contoso):
    purchase(contoso, named=1, read_only=1)
    found = upload(contoso, *everything(contoso))
    change = user_files.change(contoso, [Asked.from_document(one) for one in found.rows])

    preview = previews.user_import(subscription=contoso, change=change, at=LATER)
    user_imports.confirm(user_import=found, actor=ACTOR, at=LATER)
    user_imports.apply(import_id=found.pk, at=LATER)
    reconcile(contoso, now=LATER)

    assert {one["username"]: one["effect"] for one in preview["accounts"]} == {
        "ann@contoso.example": "Read only → Named",
        "New@contoso.example": "No license → Read only",
    }
    assert license_of(account("ann@contoso.example")) == (NAMED, "")
    assert license_of(account("new@contoso.example")) == (READ_ONLY, "")


def test_nothing_is_kept_of_a_faulty_file_and_all_faults_are_told(contoso):
    sheet = exported(contoso)
    bad = [
        sheet["ann@contoso.example"]._replace(email="other@contoso.example"),
        sheet["bo@contoso.example"]._replace(role="King"),
        sheet["root@contoso.example"]._replace(state="Disabled"),
        sheet["off@contoso.example"]._replace(state="Deleted"),
    ]

    with pytest.raises(user_imports.FileFaulty) as caught:
        upload(contoso, *bad)

    assert [(fault.line, fault.column) for fault in caught.value.faults] == [(2, "Email"), (3, "Role"), (4, "State")]
    assert str(caught.value) == "3 lines of the file must be corrected first. Nothing was imported."
    assert not UserImport.objects.exists()


def test_nothing_happens_before_it_is_confirmed(contoso):
    found = upload(contoso, *everything(contoso))

    assert user_imports.due() == []
    assert account("bo@contoso.example").is_enabled
    assert not AuditEntry.objects.filter(action="import users").exists()
    assert (found.uploaded_by, found.uploaded_at, found.applied_at, found.outcome) == (ACTOR.name, NOON, None, {})


def test_confirmed_and_applied_twice_is_done_once(contoso):
    found = confirmed(contoso, *everything(contoso))

    assert not user_imports.confirm(user_import=found, actor=ACTOR, at=LATER)
    for _ in range(2):
        user_imports.apply(import_id=found.pk, at=LATER)

    assert AuditEntry.objects.filter(action="create user", target="New@contoso.example").count() == 1
    assert AuditEntry.objects.filter(action="import users").count() == 1
    found.refresh_from_db()
    assert found.outcome["refused"] == []


def test_a_worker_goes_on_where_the_request_ended(contoso, monkeypatch):
    monkeypatch.setattr(user_imports, "_BATCH", 2)
    found = confirmed(contoso, *everything(contoso))

    user_imports.apply(import_id=found.pk, at=LATER, most=1)
    found.refresh_from_db()
    assert (found.outcome["done"], found.applied_at, user_imports.due()) == (1, None, [found.pk])

    user_imports.apply(import_id=found.pk, at=LATER + timedelta(minutes=1))
    found.refresh_from_db()
    assert (found.outcome["done"], user_imports.due()) == (4, [])
    assert AuditEntry.objects.filter(action="create user", target="New@contoso.example").count() == 1


def test_the_tasks_go_on_with_what_is_confirmed(contoso, monkeypatch):
    upload(contoso, *everything(contoso))
    found = confirmed(contoso, *everything(contoso))
    sent = []
    monkeypatch.setattr(tasks.apply_import, "apply_async", lambda **more: sent.append(more["kwargs"]))

    tasks.apply_imports()
    tasks.apply_import(**sent[0], something_newer=1)

    assert sent == [{"import_id": found.pk}]
    assert settings.CELERY_BEAT_SCHEDULE["imports"]["task"] == "provisioning.imports"
    found.refresh_from_db()
    assert found.applied_at is not None


def test_what_changed_since_the_file_was_checked_is_told_and_the_others_go_on(contoso):
    found = confirmed(contoso, *everything(contoso))
    make_person(contoso, "new@contoso.example")
    off = account("off@contoso.example")
    people.enable_person(account=off, actor=ACTOR, at=NOON)

    user_imports.apply(import_id=found.pk, at=LATER)

    found.refresh_from_db()
    assert found.outcome["refused"] == [
        {
            "line": 4,
            "username": "off@contoso.example",
            "reason": "“off@contoso.example” is enabled. Disable the user first, then delete.",
        },
        {
            "line": 5,
            "username": "New@contoso.example",
            "reason": "Another account has the username “New@contoso.example” already. Choose another one.",
        },
    ]
    assert not account("bo@contoso.example").is_enabled
    assert not LicenseGrant.objects.filter(account=account("new@contoso.example"), manual_type=READ_ONLY).exists()


def test_only_the_columns_that_were_edited_are_changed(contoso):
    found = confirmed(contoso, exported(contoso)["bo@contoso.example"]._replace(info1="1001"))
    bo = account("bo@contoso.example")
    LoginAccount.objects.filter(pk=bo.pk).update(full_name="Renamed meanwhile")

    user_imports.apply(import_id=found.pk, at=LATER)

    bo.refresh_from_db()
    assert (bo.full_name, bo.info1) == ("Renamed meanwhile", "1001")


def test_an_admin_is_appointed_before_the_old_one_goes(contoso):
    sheet = exported(contoso)

    found = applied(
        contoso,
        sheet["root@contoso.example"]._replace(role="No Role"),
        sheet["bo@contoso.example"]._replace(role="Subscription Admin"),
    )

    assert found.outcome["refused"] == []
    assert account("root@contoso.example").role == Role.NO_ROLE


def test_who_confirms_must_be_allowed_to_as_well(contoso):
    row = exported(contoso)["bo@contoso.example"]._replace(role="Billing Admin")
    access = Actor(kind="person", name="acc", role="Access admin")

    with pytest.raises(user_imports.FileFaulty):
        upload(contoso, row, actor=access)
    found = applied(contoso, row, actor=access)

    assert [one["reason"][:36] for one in found.outcome["refused"]] == ["Only a Subscription admin can appoin"]
    assert account("bo@contoso.example").role == Role.NO_ROLE


def test_old_imports_are_forgotten(contoso):
    found = upload(contoso, *everything(contoso))

    user_imports.prune(before=NOON)
    assert UserImport.objects.filter(pk=found.pk).exists()
    user_imports.prune(before=NOON + timedelta(seconds=1))
    assert not UserImport.objects.exists()


def test_checking_takes_no_statement_for_each_row(contoso):
    row = exported(contoso)["bo@contoso.example"]

    def statements(number):
        added = [row._replace(username=f"u{n}@contoso.example", state="Added") for n in range(number)]
        with CaptureQueriesContext(connection) as found:
            upload(contoso, *added)
        return len(found)

    assert statements(2) == statements(200)


@pytest.mark.django_db(transaction=True)
def test_workers_that_apply_the_same_file_at_once_do_no_row_twice(contoso, monkeypatch):
    monkeypatch.setattr(user_imports, "_BATCH", 3)
    row = exported(contoso)["bo@contoso.example"]
    added = [row._replace(username=f"u{n}@contoso.example", state="Added", license_type="Read only") for n in range(20)]
    found = confirmed(contoso, *added)

    together(4, lambda _number: user_imports.apply(import_id=found.pk, at=LATER))
    user_imports.apply(import_id=found.pk, at=LATER)
    reconcile(contoso, now=LATER)

    found.refresh_from_db()
    assert (found.outcome["done"], found.outcome["refused"], found.applied_at) == (20, [], LATER)
    assert AuditEntry.objects.filter(action="create user", at=LATER).count() == 20
    assert pool(contoso, READ_ONLY).granted == 5
