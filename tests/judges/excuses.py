"""Where scim2-server 0.8.3 answers otherwise, and why this service is not the one to change.

The client of ``machine.py`` does not send what an excuse applies to. ``test_differential.py`` holds each to its
example: the day on which the answers to it are the same, the excuse goes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scim.schema import GROUP, USER
from tests.judges.both import Request
from tests.judges.patches import ONE_VALUED, operation
from tests.judges.strategies import PATCH_OP, SEVERAL, Json

Applies = Callable[[Request, Json], bool]
"""Whether an excuse applies to a request about a resource that was so before; ``{}`` where there is none."""


@dataclass(frozen=True)
class Excuse:
    """``example`` ends with the request that is answered otherwise; what its POSTs make is called by their number.

    ``applies`` is None where the strategies make no such request.
    """

    name: str
    because: str
    applies: Applies | None
    example: tuple[Request, ...]


def operations(request: Request) -> list[Json]:
    return request.body.get("Operations", []) if request.method == "PATCH" else []


def any_operation(test: Callable[[Json], bool]) -> Applies:
    return lambda request, _before: any(test(one) for one in operations(request))


def filtered(pattern: str) -> Applies:
    expression = re.compile(pattern, re.IGNORECASE)
    return lambda request, _before: expression.search(request.query.get("filter", "")) is not None


def makes_an_element(request: Request, before: Json) -> bool:
    """Whether an operation sets a part of an element that is not there, or perhaps not any more."""
    touched: set[str] = set()
    for one in operations(request):
        path = one.get("path") or ""
        found = re.fullmatch(r'(\w+)\[type eq "(\w+)"\]\.\w+', path)
        if found and one["op"] != "remove":
            types = {element.get("type", "").lower() for element in before.get(found[1], [])}
            if found[1] in touched or found[2].lower() not in types:
                return True
        touched.add(re.split(r"[\[.]", path)[0])
    return False


def makes_twins(request: Request, before: Json) -> bool:
    """Whether an operation makes two elements of one type and value, or perhaps does by then."""
    there = {name: [label(one) for one in before.get(name, [])] for name in SEVERAL}
    touched: set[str] = set()
    for one in operations(request):
        added, path = one.get("value"), one.get("path") or ""
        if path in there and added is not None:
            labels = [label(element) for element in (added if isinstance(added, list) else [added])]
            if one["op"] == "add" and set(there[path]).intersection(labels):
                return True
            there[path] += labels
        found = re.fullmatch(r'(\w+)\[type eq "(\w+)"\]\.value', path)
        if found and one["op"] != "remove":
            alike = [kind for kind, _ in there.get(found[1], []) if kind == found[2].lower()]
            if found[1] in touched or len(alike) > 1:
                return True
        touched.add(re.split(r"[\[.]", path)[0])
    return False


def leaves_no_value(request: Request, before: Json) -> bool:
    """Whether an operation removes the last but the labels of an element, or perhaps does by then."""
    touched: set[str] = set()
    for one in operations(request):
        path = one.get("path") or ""
        found = re.fullmatch(r'(\w+)\[type eq "(\w+)"\]\.(\w+)', path)
        if found and one["op"] == "remove":
            labels = {"type", "primary", found[3]}
            there = before.get(found[1], [])
            if found[1] in touched or any(element.keys() <= labels for element in there):
                return True
        touched.add(re.split(r"[\[.]", path)[0])
    return False


def label(element: Json) -> tuple[str, str]:
    return str(element.get("type")).lower(), str(element.get("value")).lower()


def user(**more: Any) -> Request:
    document = {"schemas": [USER.schema.urn], "userName": "ann", "active": True, **more}
    return Request("POST", "/Users", {name: value for name, value in document.items() if value is not ...})


def group(**more: Any) -> Request:
    return Request("POST", "/Groups", {"schemas": [GROUP.schema.urn], "displayName": "Alpha", **more})


def patch(path: str, *changes: Json) -> Request:
    return Request("PATCH", path, {"schemas": [PATCH_OP], "Operations": list(changes)})


def users(**query: str) -> Request:
    return Request("GET", "/Users", query=query)


ANN = "/Users/<User 1>"
WORK = [{"type": "work", "value": "a@x.example"}]

EXCUSES: tuple[Excuse, ...] = (
    Excuse(
        "add of null",
        "RFC 7643 §2.5: null is the state of being unassigned, and may be said of any attribute; the peer refuses it.",
        any_operation(lambda one: one["op"] == "add" and "value" in one and one["value"] is None),
        (user(title="a"), patch(ANN, operation("add", "title", value=None))),
    ),
    Excuse(
        "an element is made by its path",
        "D-01: Entra sets parts of elements that are not there, and expects them; RFC 7644 §3.5.2.3 says noTarget.",
        makes_an_element,
        (user(), patch(ANN, operation("replace", 'emails[type eq "work"].value', value="b"))),
    ),
    Excuse(
        "unknown op",
        "RFC 7644 §3.12, table 9: an op that is none breaks the message's schema: invalidSyntax, not invalidValue.",
        any_operation(lambda one: one["op"] not in {"add", "replace", "remove"}),
        (user(), patch(ANN, operation("move", "title", value="a"))),
    ),
    Excuse(
        "filter by password",
        "RFC 7643 §7: what is never returned SHALL NOT be used in a filter, so sensitive; the peer finds nothing.",
        filtered(r"\bpassword\b"),
        (user(password="s"), users(filter='password eq "s"')),
    ),
    Excuse(
        "part of something that is no text",
        "RFC 7644 §3.4.2.2, table 3: co, sw and ew compare texts, else invalidFilter; the peer finds nothing.",
        filtered(r' (co|sw|ew) [^" ]'),
        (user(), users(filter="userName co true")),
    ),
    Excuse(
        "externalId is unique",
        "D-17: Entra may match by it, and two matches stop it; RFC 7643 §3.1 leaves it to the client.",
        None,
        (user(externalId="twice"), user(externalId="twice", userName="bob")),
    ),
    Excuse(
        "an empty text is unassigned",
        "D-09: Microsoft's validation expects it; RFC 7643 §2.3.1 would let it be a value.",
        None,
        (user(title=""), users()),
    ),
    Excuse(
        "active unless said otherwise",
        "RFC 7644 §3.3: a service may assign defaults, and an account is enabled or not; the peer says nothing.",
        None,
        (user(active=...),),
    ),
    Excuse(
        "the same type and value twice",
        "RFC 7643 §2.4: the same type and value SHOULD NOT stand twice, so adding them again changes nothing.",
        makes_twins,
        (user(emails=[{**WORK[0], "primary": True}]), patch(ANN, operation("add", "emails", value=WORK)), users()),
    ),
    Excuse(
        "members who do not exist",
        "D-08: an unknown member is skipped and logged, as Entra means somebody deleted; the peer keeps any text.",
        None,
        (group(members=[{"value": "nobody-of-ours"}]),),
    ),
    Excuse(
        "a relative address",
        "RFC 7643 §2.3.7: a reference may be a relative URI, of which b is one; the peer wants a scheme.",
        None,
        (user(profileUrl="b"),),
    ),
    Excuse(
        "no operations",
        "D-21: Microsoft's validator sends a PATCH without any and expects success.",
        None,
        (user(), patch(ANN)),
    ),
    Excuse(
        "one in a list where one is",
        "E-PAT-17: Entra sends a list of one for what has one value; the peer refuses any list.",
        any_operation(
            lambda one: one.get("path") in ONE_VALUED and isinstance(one.get("value"), list) and len(one["value"]) == 1
        ),
        (user(), patch(ANN, operation("replace", "title", value=["a"]))),
    ),
    Excuse(
        "members to remove as a value",
        "D-03: Entra names in value whom to remove; the peer refuses a remove that has a value.",
        None,
        (
            user(),
            group(members=[{"value": "<User 1>"}]),
            patch("/Groups/<Group 2>", operation("remove", "members", value=[{"value": "<User 1>"}])),
        ),
    ),
    Excuse(
        "an empty list is unassigned",
        "RFC 7643 §2.5: null and an empty list are one state; the peer finds something in the list that is null.",
        filtered(r"\w\.\w+ (eq|ne) null"),
        (user(emails=[]), users(filter="emails.value eq null")),
    ),
    Excuse(
        "an element without a value",
        "scim.schema.table, label: type and primary tell elements apart and are nothing alone, as Entra leaves them.",
        leaves_no_value,
        (user(emails=WORK), patch(ANN, operation("remove", 'emails[type eq "work"].value')), users()),
    ),
    Excuse(
        "an address compared with what is none",
        "RFC 7644 §3.4.2.2: a filter compares texts, and part of an address is none; the peer refuses the value.",
        None,
        (user(profileUrl="https://a.example"), users(filter='profileUrl gt "https"')),
    ),
    Excuse(
        "null for what is required",
        "RFC 7644 §3.12, table 9: a required value is missing: invalidValue; mutability is for a remove (§3.5.2.2).",
        any_operation(lambda one: one.get("path") == "userName" and one.get("value", ...) is None),
        (user(), patch(ANN, operation("replace", "userName", value=None))),
    ),
    Excuse(
        "two that are primary",
        "RFC 7643 §2.4: true no more than once; POST demotes others, as PATCH must; the peer refuses.",
        None,
        (user(emails=[{**WORK[0], "primary": True}, {"value": "b", "primary": True}]),),
    ),
    Excuse(
        "an attribute nobody knows",
        "D-10: ignored, as Microsoft's validator and clients send them; the peer refuses it.",
        None,
        (user(unknown="a"),),
    ),
    Excuse(
        "a read-only attribute that is wrong",
        "RFC 7644 §3.3: read-only attributes of a request SHALL be ignored; the peer reads them first.",
        None,
        (user(meta={"created": "yesterday"}),),
    ),
    Excuse(
        "no schemas",
        "RFC 7643 §3: schemas is REQUIRED; the peer does without.",
        None,
        (user(schemas=...),),
    ),
    Excuse(
        "the type of a member",
        "RFC 7643 §4.2: the service knows that members are users; the peer knows only what it was told.",
        None,
        (
            user(),
            group(members=[{"value": "<User 1>"}]),
            Request("GET", "/Groups", query={"filter": 'members.type eq "User"'}),
        ),
    ),
)
