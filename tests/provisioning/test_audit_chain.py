"""The audit log is a chain: what a digest covers, and how entries of one transaction go into it."""

from datetime import timedelta, timezone
from hashlib import sha256

import pytest
from django.conf import settings
from django.db import connection, transaction

from provisioning.actor import Actor
from provisioning.models import AuditEntry, AuditHead
from provisioning.services import audit, audit_chain
from provisioning.services.audit_verification import unverified, verify
from tests.factories import ACTOR, NOON, make_subscription

pytestmark = pytest.mark.django_db


def act(subscription, target="Legal", *, at=NOON, actor=ACTOR, **changes):
    audit.record(subscription_id=subscription.pk, actor=actor, action="try", target=target, at=at, changes=changes)


def forgetting(subscription):
    act(subscription, "forgotten")
    raise ZeroDivisionError


@audit.recorded_last()
def failing(subscription):
    act(subscription, "refused")
    raise ZeroDivisionError


def entries(subscription):
    return list(AuditEntry.objects.filter(subscription=subscription).order_by("number"))


def targets(subscription):
    return [entry.target for entry in entries(subscription)][1:]  # the first is its creation


def is_whole(subscription):
    return verify(subscription).count == 0 and unverified(entries(subscription)) == set()


def test_entries_of_a_subscription_are_numbered_without_a_gap_and_each_follows_the_one_before():
    one, other = make_subscription(), make_subscription()
    for number in range(3):
        act(one, f"one {number}")
        act(other, f"other {number}")

    assert [entry.number for entry in entries(one)] == [1, 2, 3, 4]
    assert targets(other) == ["other 0", "other 1", "other 2"]
    assert is_whole(one)
    assert is_whole(other)
    assert AuditHead.objects.get(pk=one.pk).digest == entries(one)[-1].digest


FIELDS = [
    ("subscription_id", 999),
    ("number", 7),
    ("at", NOON + timedelta(microseconds=1)),
    ("actor_kind", "system"),
    ("actor_name", "somebody else"),
    ("actor_role", "Access admin"),
    ("address", "192.0.2.1"),
    ("request_id", "another"),
    ("action", "tries"),
    ("target", "Legal "),
    ("changes", {"name": ["a", "c"]}),
]


@pytest.mark.parametrize(("field", "value"), FIELDS)
def test_the_digest_covers_every_field(field, value):
    subscription = make_subscription()
    act(subscription, name=["a", "b"])
    entry = entries(subscription)[-1]
    before = audit_chain.canonical(entry, "0" * 64)

    setattr(entry, field, value)

    assert audit_chain.canonical(entry, "0" * 64) != before


def test_no_field_is_forgotten():
    stored = {field.attname for field in AuditEntry._meta.concrete_fields}

    assert stored - {"id", "digest", "key_version"} == {field for field, _ in FIELDS}


def test_the_digest_covers_what_stands_before_and_where_one_field_ends():
    entry = AuditEntry(subscription_id=1, number=1, at=NOON, action="ab", target="c")
    other = AuditEntry(subscription_id=1, number=1, at=NOON, action="a", target="bc")

    assert audit_chain.canonical(entry, "") != audit_chain.canonical(entry, "0" * 64)
    assert audit_chain.canonical(entry, "") != audit_chain.canonical(other, "")


def test_the_same_moment_in_another_time_zone_is_the_same_text():
    elsewhere = NOON.astimezone(timezone(timedelta(hours=14)))
    texts = {audit_chain.canonical(AuditEntry(subscription_id=1, number=1, at=at), "") for at in (NOON, elsewhere)}

    assert len(texts) == 1


@pytest.mark.parametrize(
    "value",
    [
        0.1,
        1e22,
        1e-7,
        -0.0,
        1.0,
        10**30,
        True,
        None,
        'ä“\u2028😀\\"',
        {"b": 1, "a": [1.5, {"z": None}]},
        (1, 2),
        {7: 1, 10: 2},
    ],
)
def test_what_the_database_makes_of_a_value_changes_nothing(value):
    subscription = make_subscription()
    act(subscription, value=[None, value])

    assert is_whole(subscription)


def test_a_value_that_no_json_holds_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        act(make_subscription(), value=float("nan"))


def test_the_key_comes_from_the_pepper_by_a_label_of_its_own_and_not_from_the_database():
    subscription = make_subscription()
    [entry] = entries(subscription)

    assert entry.digest != sha256(audit_chain.canonical(entry, "")).hexdigest()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "PEPPER", "another pepper".ljust(40, "."))
        assert verify(subscription).differences[0].what.startswith("Entry 1 is under a key that is not here")


def test_a_new_pepper_begins_a_new_key_and_the_old_one_is_still_known(settings):
    subscription = make_subscription()
    old = audit_chain.current_version()

    settings.PREVIOUS_PEPPERS = [settings.PEPPER]
    settings.PEPPER = "another pepper".ljust(40, ".")
    act(subscription)

    assert [entry.key_version == old for entry in entries(subscription)] == [True, False]
    assert is_whole(subscription)


def test_what_one_transaction_records_goes_into_the_log_at_its_end_in_order_and_by_few_statements(
    django_assert_num_queries,
):
    subscription, other = make_subscription(), make_subscription()

    each = 4 if connection.vendor == "postgresql" else 3  # where foreign keys are checked at the commit, now instead

    with django_assert_num_queries(2 + each + each), audit.recorded_last():  # a savepoint, and for each log its own
        for number in range(50):
            act(subscription, f"deed {number}")
        act(other, "elsewhere")

    assert targets(subscription) == [f"deed {number}" for number in range(50)]
    assert is_whole(subscription)
    assert is_whole(other)


def test_what_is_rolled_back_to_a_savepoint_is_not_recorded():
    subscription = make_subscription()

    with audit.recorded_last():
        act(subscription, "before")
        with pytest.raises(ZeroDivisionError):
            failing(subscription)
        with audit.recorded_last():
            act(subscription, "after")

    assert targets(subscription) == ["before", "after"]
    assert is_whole(subscription)


def test_a_deed_that_fails_leaves_no_entry_and_no_gap():
    subscription = make_subscription()

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        forgetting(subscription)
    act(subscription, "done")

    assert targets(subscription) == ["done"]
    assert is_whole(subscription)


def test_a_deed_outside_of_transactions_is_recorded_at_once():
    subscription = make_subscription()

    act(subscription, "done")

    assert targets(subscription) == ["done"]


def test_an_entry_says_who_in_which_role_from_where_and_by_which_request():
    subscription = make_subscription()
    ann = Actor(kind="person", name="ann", role="Access admin", address="192.0.2.7", request_id="request-1")

    act(subscription, actor=ann, name=["a", "b"])

    entry = entries(subscription)[-1]
    assert (entry.actor_kind, entry.actor_name, entry.actor_role) == ("person", "ann", "Access admin")
    assert (entry.address, entry.request_id, entry.changes) == ("192.0.2.7", "request-1", {"name": ["a", "b"]})
