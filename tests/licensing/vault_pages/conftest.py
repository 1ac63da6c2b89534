"""Fixtures for the tests of a vault's pages: two people whom a link makes users of the vault, and a signed-in admin."""

import pytest

from tests.factories import make_account, make_group, make_link
from tests.licensing.browsing import ANN, BOB, signed_in


@pytest.fixture
def ann(world):
    return make_account(world.configuration, ANN, full_name="Ann Ångström")


@pytest.fixture
def link(world, ann):
    group = make_group(world.configuration, "Legal", members=[ann, make_account(world.configuration, BOB)])
    return make_link(group, world.vault, "Lawyers")


@pytest.fixture
def url(world):
    return f"/s/{world.subscription.number}/vaults/{world.vault.pk}/"


@pytest.fixture
def client(world):
    return signed_in(world.subscription)
