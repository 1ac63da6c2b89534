"""One subscription with one of everything, made once for the tests of a file; what a test does to it is undone."""

from collections.abc import Iterator
from copy import deepcopy

import pytest
from django.core.cache import cache

from tests.security.addresses import undone
from tests.trust.world import Tenant, make_tenant


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[Tenant]:
    with django_db_blocker.unblock(), undone():
        yield make_tenant("Contoso")


@pytest.fixture
def tenant(world: Tenant, db) -> Iterator[Tenant]:
    """The world, with no attempt to sign in counted yet; the browsers' cookies are put back, too."""
    cache.clear()
    cookies = {role: deepcopy(browser.cookies) for role, browser in world.browsers.items()}
    yield world
    for role, browser in world.browsers.items():
        browser.cookies = cookies[role]
