"""A thousand previews, each of which is what happened when the change was made (1-product §1.4, rule 9).

Changes of the kinds of ``KINDS``, in worlds that go on: what one change leaves is what the next one
finds. ``random`` draws them from a fixed seed, which costs a fraction of what Hypothesis takes, and shrinks nothing.
"""

import random

import pytest
from django.db import connection, transaction

from licensing.models import LicenseGrant
from licensing.services import choices, previews
from provisioning.license_types import LicenseType
from tests.factories import ACTOR
from tests.licensing.people import MINUTE, NAMED, reconcile
from tests.licensing.test_futures import MANUAL, Foreseen, difference
from tests.licensing.test_license_worlds import GROUPS, PEOPLE, World

pytestmark = pytest.mark.django_db
SEED = 4
WORLDS = 20
PREVIEWS = 1_000 if connection.vendor == "sqlite" else 200


def a_type(draw):
    return draw.choice(list(LicenseType))


def a_type_or_none(draw):
    return draw.choice([None, *LicenseType])


def numbers(draw):
    """Some purchased numbers, small enough that people wait."""
    names = draw.sample(["named", "concurrent", "read_only"], draw.randint(1, 3))
    return {name: draw.randint(0, 5) for name in names}


KINDS = {
    "group": lambda draw: (draw.randrange(GROUPS), a_type_or_none(draw)),
    "default": lambda draw: (draw.random() < 0.5, a_type(draw)),
    "purchase": numbers,
    "pins": lambda draw: (some(draw, PEOPLE), a_type_or_none(draw)),
    "rows": lambda draw: {
        "pins": {number: a_type_or_none(draw) for number in some(draw, 3)},
        "manuals": {PEOPLE + number: a_type(draw) for number in some(draw, MANUAL)},
        "states": {number: draw.random() < 0.5 for number in some(draw, PEOPLE + MANUAL)},
        "gone": {draw.randrange(PEOPLE + MANUAL)} if draw.random() < 0.1 else set(),
        "added": [a_type(draw) for _ in range(draw.randint(0, 1))],
    },
}
"""How a change of each kind is drawn; what is drawn goes to the method of that name of ``Foreseen``.

The deletion of a configuration is the last thing that happens in a world.
"""


def some(draw, number):
    """Some of the first so many numbers, one at least."""
    return set(draw.sample(range(number), draw.randint(1, number)))


def events(draw):
    """What happened in a world before its first preview."""
    kinds = [
        lambda: ("purchase", draw.randint(0, 4), draw.randint(0, 4)),
        lambda: ("member", draw.randrange(GROUPS), draw.randrange(PEOPLE)),
        lambda: ("group type", draw.randrange(GROUPS), a_type(draw)),
        lambda: ("enable", draw.randrange(PEOPLE), draw.random() < 0.5),
    ]
    members = [("member", number % GROUPS, number) for number in range(PEOPLE)]
    return [*members, *(draw.choice(kinds)() for _ in range(4))]


class GoingOn(Foreseen):
    """A world without vaults, so that a change costs little; whose change it is does not matter to the next."""

    def __init__(self, draw, release_policy, fill_policy):
        self.world = world = World(release_policy, fill_policy)
        self.everybody = [*world.people, *(self.make_manual(f"manual{number}", NAMED) for number in range(MANUAL))]
        for event in events(draw):
            self.world.happen(*event)
        reconcile(self.world.subscription, now=self.world.now)
        self.before = self.state()

    def change(self, kind, given):
        """Preview and make one change a minute later; return the preview and what happened in the same form."""
        self.world.now += MINUTE
        foreseen = getattr(self, kind)(previewing=True, given=given)
        getattr(self, kind)(previewing=False, given=given)
        reconcile(self.world.subscription, now=self.world.now)
        before, self.before = self.before, self.state()
        return foreseen, difference(before, self.before)

    def state(self):
        rows = LicenseGrant.objects.filter(subscription=self.world.subscription).order_by("username_key")
        types = {name: both for name, *both in rows.values_list("username_key", "granted_type", "wanted_type")}
        return {"licenses": types, "paused": set(), "new": set(), "members": set()}

    def new_names(self, given):
        return [(f"a{number}{self.world.now:%d%H%M}", one) for number, one in enumerate(given["added"])]

    def pins(self, *, previewing, given):
        subscription, at = self.world.subscription, self.world.now
        ids = [self.world.people[number].pk for number in given[0]]
        if previewing:
            return previews.pins(subscription=subscription, account_ids=ids, license_type=given[1], at=at)
        return choices.pin(subscription=subscription, account_ids=ids, license_type=given[1], actor=ACTOR, at=at)


@pytest.mark.parametrize("number", range(WORLDS))
def test_what_was_previewed_is_what_happens(db, number):
    draw = random.Random(SEED + number)
    policies = draw.choice(["at_once", "keep", "after_days"]), draw.choice(["always", "on_purchase"])
    with transaction.atomic():
        world = GoingOn(draw, *policies)
        kinds = [draw.choice(list(KINDS)) for _ in range(PREVIEWS // WORLDS - 1)]
        for kind in [*kinds, "deletion"]:
            given = KINDS[kind](draw) if kind in KINDS else draw.random() < 0.5
            foreseen, happened = world.change(kind, given)
            assert foreseen == happened, (kind, given)
        transaction.set_rollback(True)
