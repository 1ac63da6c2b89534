"""An account whose disabling is held keeps its license, and ``explain`` says why (decision 18)."""

import pytest

from licensing.services.explanations import explain
from provisioning.license_types import LicenseType
from provisioning.models import HeldChange
from provisioning.services import held
from tests.factories import ACTOR, NOON, make_group
from tests.licensing.people import has, purchase, reconcile
from tests.provisioning.held_people import disable, people, remove

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    """Somebody with a license from a group, in a subscription that releases licenses at once."""
    [ann] = people(1, least=0)
    subscription = ann.subscription
    subscription.release_policy = subscription.ReleasePolicy.AT_ONCE
    subscription.save()
    purchase(subscription, named=1)
    make_group(ann.configuration, members=[ann], license_type=LicenseType.NAMED)
    reconcile(subscription)
    return ann


@pytest.mark.parametrize(("change", "word"), [(disable, "disable"), (remove, "remove")])
def test_the_license_is_kept_until_the_change_is_allowed(change, word, ann):
    change(ann)
    reconcile(ann.subscription)
    ann.refresh_from_db()
    explained = explain(account=ann, now=NOON)

    assert has(ann) == LicenseType.NAMED
    assert explained["state"] == "enabled"
    assert explained["pending"] == [
        f"{ann.configuration.name} asked to {word} the account. That is held until an admin allows or rejects it."
    ]

    waiting = HeldChange.objects.values_list("pk", flat=True)
    held.allow(subscription=ann.subscription, ids=list(waiting), actor=ACTOR, at=NOON)
    reconcile(ann.subscription)
    ann.refresh_from_db()

    assert has(ann) == LicenseType.NONE
    assert explain(account=ann, now=NOON)["pending"] == []
