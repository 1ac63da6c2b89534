"""A client that asks this service and scim2-server the same, and insists on the same answers."""

import json
from collections import Counter
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.factories import make_configuration
from tests.judges.answers import Exchange, exchange
from tests.judges.both import Both, Request
from tests.judges.excuses import EXCUSES
from tests.judges.patches import group_operations, user_operations
from tests.judges.strategies import (
    GROUP_NAMED,
    PATCH_OP,
    USER_NAMED,
    Json,
    group_documents,
    group_filters,
    lists,
    projections,
    user_documents,
    user_filters,
)

KINDS = {"/Users": "User", "/Groups": "Group"}
ENDPOINTS = st.sampled_from(["/Users", "/Groups"])


class Client(RuleBasedStateMachine):
    """``seen`` counts what was compared, by method, endpoint and status; ``excused``, what was not sent."""

    seen: Counter[tuple[str, str, Any]] = Counter()
    excused: Counter[str] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.both = Both(make_configuration())
        self.known: dict[str, list[str]] = {"/Users": [], "/Groups": []}
        self.number = 0

    @initialize(data=st.data())
    def begin(self, data):
        for endpoint in ("/Users", "/Users", "/Groups"):
            self.create(endpoint, data.draw(self.documents(endpoint)))

    @rule(data=st.data(), endpoint=ENDPOINTS)
    def create_one(self, data, endpoint):
        self.create(endpoint, data.draw(self.documents(endpoint)))

    @rule(data=st.data(), endpoint=ENDPOINTS)
    def replace_one(self, data, endpoint):
        for path in data.draw(self.some_of(endpoint)):
            self.change("PUT", path, data.draw(self.documents(endpoint)))

    @rule(data=st.data(), endpoint=ENDPOINTS)
    def patch_one(self, data, endpoint):
        operations = user_operations(self.users) if endpoint == "/Users" else group_operations(self.users)
        for path in data.draw(self.some_of(endpoint)) * 3:
            drawn = data.draw(st.lists(operations, min_size=1, max_size=3))
            self.change("PATCH", path, {"schemas": [PATCH_OP], "Operations": drawn})

    @rule(data=st.data())
    def list_users(self, data):
        for _ in range(3):
            self.ask(data.draw(lists("/Users", user_filters(self.users), USER_NAMED)))

    @rule(data=st.data())
    def list_groups(self, data):
        self.ask(data.draw(lists("/Groups", group_filters(self.users), GROUP_NAMED)))

    @rule(data=st.data())
    def read_a_part(self, data):
        for path in data.draw(self.some_of("/Users")):
            self.ask(Request("GET", path, query=data.draw(projections(USER_NAMED))))

    @rule(data=st.data(), endpoint=ENDPOINTS)
    def delete_one(self, data, endpoint):
        """Delete one, after what names it is gone: whether references outlive their target is nobody's rule."""
        for path in data.draw(self.some_of(endpoint)):
            operation = {"op": "remove", "path": f'members[value eq "{path.rpartition("/")[2]}"]'}
            for other in self.known["/Groups"] if endpoint == "/Users" else ():
                self.change("PATCH", f"/Groups/{other}", {"schemas": [PATCH_OP], "Operations": [operation]})
            self.delete(path)

    @property
    def users(self) -> list[str]:
        return self.known["/Users"]

    def documents(self, endpoint: str) -> st.SearchStrategy[Json]:
        self.number += 1
        make = user_documents if endpoint == "/Users" else group_documents
        return make(self.number, self.users)

    def some_of(self, endpoint: str) -> st.SearchStrategy[list[str]]:
        """Return the path of one that is known, or nothing."""
        return st.sampled_from([[f"{endpoint}/{name}"] for name in self.known[endpoint]] or [[]])

    def create(self, endpoint: str, document: Json) -> None:
        name = f"<{KINDS[endpoint]} {self.number}>"
        if self.ask(Request("POST", endpoint, document), creates=name) == 201:
            self.known[endpoint].append(name)

    def change(self, method: str, path: str, body: Json) -> None:
        before = self.both.ours.common(self.both.ours.ask(Request("GET", path)).body)
        self.ask(Request(method, path, body), before=before)
        self.ask(Request("GET", path))

    def delete(self, path: str) -> None:
        endpoint, _, name = path.rpartition("/")
        self.ask(Request("DELETE", path))
        self.known[endpoint].remove(name)
        self.ask(Request("GET", path))

    def ask(self, request: Request, *, before: Json | None = None, creates: str = "") -> int | None:
        """Send the request to both, compare, and return the status; None if an excuse applies: it is not sent."""
        for excuse in EXCUSES:
            if excuse.applies and excuse.applies(request, before or {}):
                self.excused[excuse.name] += 1
                return None
        answers = exchange(self.both, request, creates=creates)
        self.seen[request.method, request.path.split("/")[1], answers.ours["status"]] += 1
        if answers.ours != answers.peer:
            self.differ(request, before, answers)
        return answers.status

    def differ(self, request: Request, before: Json | None, answers: Exchange) -> None:
        lines = [str(request), f"before: {json.dumps(before)}", *answers.differences(), *answers.details]
        raise AssertionError("\n".join(lines))
