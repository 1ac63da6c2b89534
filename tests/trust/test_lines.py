"""Each of the two lines between subscriptions holds alone: the program's filters, and PostgreSQL's row-level security.

Every page that names something is asked for another subscription's, as the highest role. That the filters hold without
row-level security is what ``test_routes`` shows, whose superuser passes it. The control has both lines off, and leaks:
the filters that are taken away are the right ones.
"""

import pytest

from tests.trust.lines import no_filters, no_row_level_security, row_level_security
from tests.trust.routes import Route
from tests.trust.rules import RULES
from tests.trust.test_routes import PAGES, ask, by_page, tenants  # noqa: F401
from tests.trust.world import Role

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
NAMING = [route for route in PAGES if RULES[route.name].names]
REFUSED = {404, 405}


def answers(tenants, route: Route) -> set[int]:  # noqa: F811
    own, other = tenants
    client = own.browsers[Role.SUBSCRIPTION_ADMIN]
    return {ask(client, method, route, own, other).status_code for method in ("GET", "POST")}


@by_page(NAMING)
def test_row_level_security_holds_without_the_filters(tenants, route: Route):  # noqa: F811
    with row_level_security(), no_filters():
        assert answers(tenants, route) <= REFUSED


def test_without_both_lines_another_subscription_is_open(tenants):  # noqa: F811
    with no_row_level_security(), no_filters():
        leaking = [route.name for route in NAMING if not answers(tenants, route) <= REFUSED]

    assert len(leaking) > len(NAMING) * 0.8, sorted({route.name for route in NAMING} - set(leaking))
