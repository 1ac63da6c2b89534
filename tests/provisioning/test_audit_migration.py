"""An installation from before the chain is migrated: its entries are chained as they stand, and the log goes on."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from provisioning.models import AuditEntry, AuditHead, Subscription
from provisioning.services import audit
from provisioning.services.audit_verification import unverified, verify
from tests.factories import ACTOR, NOON

BEFORE = ("provisioning", "0023_single_sign_on")
SCHEMA = "before_the_chain"
MIGRATIONS = ("0024_audit_chain", "0025_audit_is_append_only", "0029_append_only_on_sqlite_too")
CHANGES = [{}, {"name": ["a", 'ä“\u2028😀\\"']}, {"number": [0.1, 1e22], "list": [None, [1.0, {"z": True, "a": None}]]}]
pytestmark = pytest.mark.django_db


@pytest.fixture
def place(tmp_path):
    """An empty file, or an empty schema, beside the test's own, which is the database meanwhile."""
    usual = connections["default"]
    beside = usual.copy()
    connections["default"] = beside
    try:
        if beside.vendor == "postgresql":
            yield from schema(beside)
        else:
            beside.settings_dict["NAME"] = tmp_path / "before.sqlite3"
            yield beside
    finally:
        connections["default"] = usual
        beside.close()


def schema(beside):
    options = beside.settings_dict["OPTIONS"]
    settings = f"{options['options']} -c role=none -c search_path={SCHEMA}"
    beside.settings_dict["OPTIONS"] = {name: options[name] for name in options.keys() - {"pool"}} | {
        "options": settings
    }
    with beside.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        yield beside
        cursor.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


class Installation:
    """Two tables as they were; the others are not concerned."""

    def __init__(self, place):
        self.place = place
        self.loader = MigrationLoader(place)
        everything = self.loader.project_state(BEFORE).models
        models = {key: everything[key] for key in [("provisioning", "subscription"), ("provisioning", "auditentry")]}
        self.state = ProjectState(models)
        with place.schema_editor() as editor:
            for name in ("Subscription", "AuditEntry"):
                editor.create_model(self.state.apps.get_model("provisioning", name))

    def model(self, name):
        return self.state.apps.get_model("provisioning", name).objects

    def migrate(self):
        for name in MIGRATIONS:
            migration = self.loader.get_migration("provisioning", name)
            with self.place.schema_editor(atomic=migration.atomic) as editor:
                self.state = migration.apply(self.state, editor)


@pytest.fixture
def installation(place):
    found = Installation(place)
    for name in ("One", "Two", "Three"):
        found.model("Subscription").create(name=name, number=f"M-{name}", edition="cloud", created_at=NOON)
    return found


def act(installation, subscription, number):
    """Write an entry as the version before did; the later one is the older one, as after a clock was set back."""
    installation.model("AuditEntry").create(
        subscription_id=Subscription.objects.get(name=subscription).pk,
        at=NOON - timedelta(minutes=number, microseconds=1),
        actor_kind="person",
        actor_name="Ann",
        action="try",
        target=f"deed {number}",
        changes=CHANGES[number % len(CHANGES)],
    )


def targets(subscription):
    return list(AuditEntry.objects.filter(subscription=subscription).order_by("number").values_list("number", "target"))


def test_entries_are_chained_in_the_order_in_which_they_were_written_whatever_their_number(installation, monkeypatch):
    monkeypatch.setattr("provisioning.migrations.0024_audit_chain.BATCH", 3)
    for number in range(1, 9):
        act(installation, "One", number)
        if number <= 3:
            act(installation, "Two", number)

    installation.migrate()

    one, two, three = Subscription.objects.order_by("pk")
    assert targets(one) == [(number, f"deed {number}") for number in range(1, 9)]
    assert [(verify(each).entries, verify(each).count) for each in (one, two, three)] == [(8, 0), (3, 0), (0, 0)]
    assert AuditHead.objects.get(pk=three.pk).number == 0
    assert not unverified(list(AuditEntry.objects.filter(subscription=one)))


def test_the_log_goes_on_behind_them(installation):
    act(installation, "One", 1)
    installation.migrate()

    for subscription in Subscription.objects.all():
        audit.record(subscription_id=subscription.pk, actor=ACTOR, action="try", target="new", at=NOON)

    assert [targets(one) for one in Subscription.objects.order_by("pk")] == [
        [(1, "deed 1"), (2, "new")],
        [(1, "new")],
        [(1, "new")],
    ]
    assert [verify(one).count for one in Subscription.objects.all()] == [0, 0, 0]


def test_what_was_chained_cannot_be_rewritten_and_shows_if_it_is(installation):
    act(installation, "One", 1)
    installation.migrate()

    with pytest.raises(DatabaseError, match="append-only"):
        AuditEntry.objects.update(target="another")

    entry = AuditEntry.objects.get()
    entry.target = "another"
    assert unverified([entry]) == {1}
