"""What must hold for whole runs against the project's own service (SO-1 to SO-8 of the wire cases).

Directories and change lists are generated; ``--hypothesis-profile thorough`` tries many more of them. The service
runs in this process, behind its WSGI interface; the last test speaks to it over HTTP.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from mfmanage.entra.client import Client, Connection, ConnectionFailed
from mfmanage.entra.directory import Directory, User
from mfmanage.entra.faults import Faults, FaultyTransport
from mfmanage.entra.generating import generate
from mfmanage.entra.job import Job
from mfmanage.entra.mapping import EMPTY, ENTERPRISE, GROUP, USER
from mfmanage.entra.reading import parse
from mfmanage.entra.restarts import PORTAL
from mfmanage.entra.results import Summary
from mfmanage.entra.run import run
from mfmanage.entra.state import State
from mfmanage.entra.styles import Style
from mfmanage.wsgi import application
from tests.entra.conftest import NOON, Simulator
from tests.entra.directories import EVERYTHING, directories
from tests.factories import make_credentials

SEVERAL = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a whole run takes too long to be shrunk
    print_blob=True,
)
MANAGER_LEAVES = {
    "users": [
        {"id": one, "userPrincipalName": f"{one}@contoso.com", "manager": manager}
        for one, manager in (("u0", "u1"), ("u1", "u0"), ("u2", "u2"))
    ],
    "groups": [],
    "changes": [
        {
            "users": [
                {"id": "u2", "manager": "u1"},
                {"id": "u1", "assigned": False, "manager": None},
                {"id": "u0", "manager": None},
            ],
            "groups": [],
        }
    ],
}
"""Somebody gets a manager who goes out of scope in the same cycle."""
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
FOREIGN = {
    "nickName": "Ours",
    "emails": [{"type": "home", "value": "home@example.com"}],
    "phoneNumbers": [{"type": "home", "value": "+358 9"}],
    "addresses": [{"type": "home", "locality": "Espoo"}],
    "urn:example:acme:2.0:User": {"badge": 7},
}
"""What other clients wrote, and Entra maps nothing to."""


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Let requests in this process leave the test's database connection open, as Django's own test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@dataclass
class Exchange:
    """A request that reached the service, and its answer."""

    method: str
    url: str
    status: int
    kind: str
    document: Any


class Tenant(httpx.BaseTransport):
    """A new configuration of the service, what is said to it, and the memory of the job that provisions it."""

    def __init__(self, style: Style = Style.DEFAULT, address: str = "http://testserver") -> None:
        credentials = make_credentials(at=timezone.now())
        configuration = credentials.configuration
        self.connection = Connection(
            tenant_url=f"{address}/scim/v2/{configuration.public_id}",
            token_endpoint=f"{address}/oauth/token",
            client_id=configuration.client_id,
            client_secret=credentials.client_secret,
        )
        self.style, self.state = style, State()
        self.exchanges: list[Exchange] = []
        self._service = httpx.WSGITransport(application)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._service.handle_request(request)
        content = response.read()
        if "/oauth/" not in str(request.url):
            kind = response.headers.get("Content-Type", "")
            document = json.loads(content) if content else None
            self.exchanges.append(Exchange(request.method, str(request.url), response.status_code, kind, document))
        return response

    def provision(self, source: Directory, **options: Any) -> Summary:
        given: dict[str, Any] = {"transport": self, "style": self.style, "job": Job(mapping=EVERYTHING), "now": NOON}
        return run(self.connection, source, state=self.state, **(given | options))

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        with Client(self.connection, transport=self) as client:
            return client.call(method, path, query=query, body=body)

    def everything(self, *, wire: httpx.BaseTransport | None = None) -> dict[str, Any]:
        """Return all that the service shows, by name, with names in place of the ids that it chose."""
        with Client(self.connection, transport=wire or self) as client:
            users = client.call("GET", "/Users", query={"count": "1000"})["Resources"]
            groups = client.call("GET", "/Groups", query={"count": "1000"})["Resources"]
        names = {user["id"]: user["userName"] for user in users}
        return {user["userName"]: _named(user, names) for user in users} | {
            group["displayName"]: (
                group.get("externalId"),
                sorted(names.get(member["value"], "unknown") for member in group.get("members", [])),
            )
            for group in groups
        }


def _named(user: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    named = {key: value for key, value in user.items() if key not in {"id", "meta", "groups"}}
    if "manager" in named.get(ENTERPRISE, {}):
        named[ENTERPRISE] = {**named[ENTERPRISE], "manager": names.get(user[ENTERPRISE]["manager"]["value"], "unknown")}
    return named


def stages(document: dict[str, Any]) -> list[Directory]:
    """Return a directory for each state of the source, so that a state can last for several cycles."""
    return [Directory((snapshot,)) for snapshot in parse(document).snapshots]


def assert_answers_are_scim(tenant: Tenant) -> None:
    """SO-6 and SO-8: refusals have a SCIM error for a body, and no query finds more than one."""
    for exchange in tenant.exchanges:
        if exchange.status >= 400:
            assert exchange.kind.startswith("application/scim+json"), exchange
            assert exchange.document["schemas"] == [ERROR], exchange
            assert exchange.document["status"] == str(exchange.status), exchange
            assert exchange.status < 500, exchange
        elif "filter=" in exchange.url:
            assert exchange.document["totalResults"] <= 1, exchange


def assert_sent_is_shown(tenant: Tenant, users: list[User]) -> None:
    """SO-5 and SO-7: every value comes back as it was sent, and who is inactive is found all the same."""
    for user in users:
        anchor = tenant.state.users.get(user.id)
        if anchor is None:
            continue
        shown = tenant.ask("GET", f"/Users/{anchor.target}")
        found = tenant.ask("GET", "/Users", filter=f'userName eq "{shown["userName"]}"')["Resources"]
        assert [one["id"] for one in found] == [anchor.target]
        assert shown["active"] is user.is_active
        for row in EVERYTHING.users if user.in_scope and user.is_active else ():
            if (wanted := row.value(user)) not in EMPTY:
                assert row.target.read(shown) == wanted, row.target.path


@pytest.mark.django_db
@pytest.mark.usefixtures("one_connection")
@settings(SEVERAL, max_examples=max(10, settings().max_examples // 10))
@given(document=directories())
def test_so_1_3_5_6_7_8_runs_settle_alike_in_both_styles_and_keep_what_was_sent(document):
    ends = []
    for style in Style:
        tenant = Tenant(style)
        for stage in stages(document):
            assert tenant.provision(stage).failed == 0
        again = tenant.provision(stages(document)[-1], restart=PORTAL)
        assert (again.failed, again.cycles[0].writes) == (0, 0)
        assert_sent_is_shown(tenant, list(stages(document)[-1].at(1).users.values()))
        assert_answers_are_scim(tenant)
        ends.append(tenant.everything())

    assert ends[0] == ends[1]


@pytest.mark.django_db
@pytest.mark.usefixtures("one_connection")
@settings(SEVERAL, max_examples=max(6, settings().max_examples // 15))
@given(document=directories(), seed=st.integers(0, 2**16))
@example(document=MANAGER_LEAVES, seed=4)
def test_so_2_6_8_lost_and_doubled_requests_end_where_a_clean_run_ends(document, seed):
    chances = {"lost-responses": 0.2, "duplicates": 0.2, "429": 0.1, "503": 0.1, "expired-tokens": 0.1}
    clean, hurt = Tenant(), Tenant(Style.AAD_OPT_SCIM)
    faulty = FaultyTransport(hurt, Faults(chances=chances, seed=seed, retry_after="0"))
    for stage in stages(document):
        assert clean.provision(stage).failed == 0
        converge(hurt, stage, faulty)

    assert hurt.everything() == clean.everything()
    assert_answers_are_scim(hurt)


def converge(tenant: Tenant, stage: Directory, transport: httpx.BaseTransport) -> None:
    """Repeat cycles until one has seen this state of the source and nothing is left to retry."""
    target = tenant.state.watermark
    for _ in range(80):
        with suppress(ConnectionFailed):
            tenant.provision(stage, transport=transport)
        if tenant.state.watermark > target and not tenant.state.escrows:
            return
    pytest.fail(f"Not settled: {tenant.state.escrows}")


@pytest.mark.django_db
@pytest.mark.usefixtures("one_connection")
@settings(SEVERAL, max_examples=max(6, settings().max_examples // 15))
@given(document=directories(), style=st.sampled_from(list(Style)))
def test_so_4_what_others_wrote_stays(document, style):
    tenant = Tenant(style)
    other = tenant.ask("POST", "/Users", {"schemas": [USER], "userName": "other@example.com", **FOREIGN})
    theirs = set()
    for user in document["users"]:
        body = {"schemas": [USER], "userName": user["userPrincipalName"].upper(), **FOREIGN}
        theirs.add(tenant.ask("POST", "/Users", body)["id"])
    for group in document["groups"]:
        body = {"schemas": [GROUP], "displayName": group["displayName"], "members": [{"value": other["id"]}]}
        tenant.ask("POST", "/Groups", body)

    for stage in stages(document):
        assert tenant.provision(stage).failed == 0

    # Who was renamed before the first contact has a new account.
    for target in theirs & {anchor.target for anchor in tenant.state.users.values()}:
        shown = tenant.ask("GET", f"/Users/{target}")
        for name, value in FOREIGN.items():
            assert all(one in shown[name] for one in value) if isinstance(value, list) else shown[name] == value
    for anchor in tenant.state.groups.values():
        members = tenant.ask("GET", f"/Groups/{anchor.target}")["members"]
        assert other["id"] in [member["value"] for member in members]
    shown = tenant.ask("GET", f"/Users/{other['id']}")
    assert {name: value for name, value in shown.items() if name != "groups"} == other


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_so_2_patches_of_one_group_at_the_same_time_lose_nobody(live_server, service):
    document = generate(20, 3, 5)
    tenant = Tenant(Style.AAD_OPT_SCIM, live_server.url)
    wire = httpx.HTTPTransport()
    faulty = FaultyTransport(wire, Faults(chances={"parallel-patches": 1.0, "duplicates": 0.1}, retry_after="0"))

    for stage in stages(document):
        converge(tenant, stage, faulty)

    Simulator(service)(document, cycles=2)
    shown = tenant.everything(wire=wire)
    names = {key: user["userName"] for key, user in service.resources["Users"].items()}
    for group in service.resources["Groups"].values():
        members = sorted(names[member["value"]] for member in group["members"])
        assert shown[group["displayName"]] == (group["externalId"], members)
    assert faulty.met["parallel-patches"] >= 3
