"""The policies of a subscription: what is refused, what is audited, and what it makes due."""

import pytest

from provisioning.models import AuditEntry, Subscription
from provisioning.services.policies import BadPolicy, set_policies
from tests.factories import ACTOR, NOON, make_subscription

pytestmark = pytest.mark.django_db


def change(subscription, **policies):
    return set_policies(subscription=subscription, actor=ACTOR, at=NOON, **policies)


def test_what_is_named_is_changed_audited_and_nothing_else():
    subscription = make_subscription("Contoso")

    changed = change(
        subscription,
        release_policy="at_once",
        release_after_days=7,
        fill_policy="on_purchase",
        protection_least=25,
        protection_percent=5,
        contact_name="Ann",
        contact_email="it@contoso.example",
    )

    kept = Subscription.objects.get()
    assert (kept.release_policy, kept.fill_policy, kept.time_zone) == ("at_once", "on_purchase", "UTC")
    assert (kept.protection_least, kept.protection_percent) == (25, 5)
    assert (kept.contact_name, kept.contact_email) == ("Ann", "it@contoso.example")
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.target, entry.at) == ("change settings", "Contoso", NOON)
    assert entry.changes == {
        "release_policy": ["after_days", "at_once"],
        "fill_policy": ["always", "on_purchase"],
        "protection_least": [10, 25],
        "protection_percent": [20, 5],
        "contact_name": ["", "Ann"],
        "contact_email": ["", "it@contoso.example"],
    }
    assert changed == set(entry.changes)


def test_what_holds_already_is_no_deed():
    subscription = make_subscription()
    before = AuditEntry.objects.count()

    assert change(subscription, release_policy="after_days", release_after_days=7, time_zone="UTC") == set()

    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("release_policy", "never", "“never” is not a release policy. Choose keep, at_once or after_days."),
        ("release_after_days", -1, "-1 is not between 0 and 3650 days."),
        ("release_after_days", 3651, "3651 is not between 0 and 3650 days."),
        ("fill_policy", "", "“” is not a fill policy. Choose always or on_purchase."),
        ("protection_least", -1, "-1 is not between 0 and 1,000,000 users."),
        ("protection_percent", -1, "-1 is not between 0 and 100 percent."),
        ("protection_percent", 101, "101 is not between 0 and 100 percent."),
        ("time_zone", "Europe/Atlantis", "“Europe/Atlantis” is not a time zone. Choose one such as Europe/Helsinki."),
        ("time_zone", "../etc/passwd", "“../etc/passwd” is not a time zone. Choose one such as Europe/Helsinki."),
        (
            "contact_email",
            "it at contoso",
            "“it at contoso” is not an e-mail address. Write it like it@contoso.com, or leave it empty.",
        ),
        ("contact_name", "x" * 201, "The name is longer than 200 characters. Shorten it."),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence_and_changes_nothing(field, value, sentence):
    subscription = make_subscription()
    before = Subscription.objects.values().get()

    with pytest.raises(BadPolicy) as refusal:
        change(subscription, **{"protection_least": 99, field: value})

    assert (refusal.value.field, str(refusal.value)) == (field, sentence)
    assert Subscription.objects.values().get() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("release_after_days", 0),
        ("release_after_days", 3650),
        ("protection_least", 0),
        ("protection_percent", 0),
        ("protection_percent", 100),
        ("contact_email", ""),
        ("time_zone", "Europe/Helsinki"),
    ],
)
def test_the_limits_themselves_are_allowed(field, value):
    subscription = make_subscription()
    Subscription.objects.update(contact_email="old@contoso.example")

    assert change(subscription, **{field: value}) == {field}

    assert getattr(Subscription.objects.get(), field) == value
