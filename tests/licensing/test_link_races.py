"""Links that are made and removed at the same moment, and while workers give licenses."""

import pytest

from licensing.models import LinkStatus, VaultUserMembership
from licensing.services import link_statuses
from provisioning.models import GroupLink
from provisioning.services import links
from provisioning.services.links import Members
from tests.factories import ACTOR, NOON, make_account, make_configuration, make_group, make_link, make_vault
from tests.licensing.people import purchase, reconcile
from tests.races import together

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def group():
    configuration = make_configuration()
    purchase(configuration.subscription, read_only=40)
    return make_group(configuration, members=[make_account(configuration) for _ in range(30)])


def test_of_links_that_take_one_target_at_once_one_is_made(group):
    vault = make_vault(group.subscription)
    sources = [make_group(group.configuration) for _ in range(8)]

    outcomes = together(8, lambda number: make_link(sources[number], vault, "Lawyers"))

    assert sum(isinstance(one, links.TargetLinked) for one in outcomes) == 7
    assert GroupLink.objects.get() in outcomes


@pytest.mark.parametrize("round_", range(4))
def test_no_member_is_recorded_for_a_link_that_is_removed_while_workers_give_licenses(group, round_):
    link = make_link(group, make_vault(group.subscription))

    def deed(number):
        if number == round_:
            links.remove_link(link=link, members=Members.STAY, actor=ACTOR, at=NOON)
        else:
            reconcile(group.subscription, batch=5)

    assert not [outcome for outcome in together(4, deed) if isinstance(outcome, Exception)]

    reconcile(group.subscription)
    assert not VaultUserMembership.objects.exists()


def test_nothing_is_recorded_of_a_link_that_is_removed_before_its_members_are_looked_at(group, monkeypatch):
    make_link(group, make_vault(group.subscription))
    put = link_statuses.put

    def removed_first(link, **values):
        links.remove_link(link=link, members=Members.STAY, actor=ACTOR, at=NOON)
        put(link, **values)

    monkeypatch.setattr(link_statuses, "put", removed_first)

    reconcile(group.subscription)

    assert not LinkStatus.objects.exists()
