"""Whatever is sent: a patched document that is still a document, or a SCIM error; sets end as if done one by one."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from scim.documents import normalize
from scim.errors import ScimError
from scim.patch import SetChange, SetKind, apply, parse
from scim.schema import ENTERPRISE_SCHEMA, GROUP, USER

ENT = ENTERPRISE_SCHEMA.urn
SCHEMAS = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
CUSTOM = "urn:example:acme:2.0:User"
ANNA: dict[str, Any] = {
    "schemas": [USER.schema.urn, ENT, CUSTOM],
    "userName": "anna",
    "active": True,
    "name": {"givenName": "Anna"},
    "emails": [{"type": "work", "value": "a", "primary": True}, {"type": "home", "value": "b"}],
    ENT: {"department": "D", "manager": {"value": "m"}},
    CUSTOM: {"tags": ["x"]},
}

SCALARS = (
    st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["", "x", "True", "work", "a", "\0", "\ud800"])
)
SUBS = st.sampled_from(["value", "type", "Primary", "display", "givenName", "department", "manager", "$ref"])
PATHS = st.sampled_from(
    [
        *(
            "userName",
            "active",
            "name",
            "name.givenName",
            "emails",
            "emails.value",
            'emails[type eq "work"]',
            "id",
            "x",
        ),
        *('emails[type eq "work"].value', 'emails[type eq "fax"].primary', 'emails[value co "a"].display', "password"),
        *("manager", "manager.value", 'manager[value eq "m"]', ENT, f"{ENT}:department", f"{CUSTOM}:tags", CUSTOM),
        *(
            f"{CUSTOM}:tags.x",
            "roles",
            'addresses[type eq "work"].locality',
            "emails[type",
            "meta.created",
            "groups",
            "schemas",
        ),
    ]
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(SUBS, inner, max_size=3)
        | st.dictionaries(PATHS, inner, max_size=3)
    ),
    max_leaves=6,
)
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "Remove", "replace"])}, optional={"path": PATHS | st.none(), "value": JSON}
)


@settings(max_examples=120, deadline=None)
@given(st.lists(OPERATIONS, max_size=4) | st.lists(JSON, max_size=2))
def test_any_operations_give_a_document_or_an_error(operations: list[Any]):
    before = copy.deepcopy(ANNA)
    try:
        patched = apply(parse({"schemas": SCHEMAS, "Operations": operations}, USER), ANNA, USER)
    except ScimError:
        assert before == ANNA
        return
    assert before == ANNA
    assert normalize(USER, patched.document).document == patched.document
    again = apply(parse({"schemas": SCHEMAS, "Operations": []}, USER), patched.document, USER)
    assert again.changed is False


@settings(max_examples=50, deadline=None)
@given(JSON)
def test_any_json_is_a_patch_or_an_error(body: Any):
    for sent in (body, {"schemas": SCHEMAS, "Operations": body}):
        try:
            operations = parse(sent, USER)
        except ScimError:
            continue
        assert isinstance(operations, list)


IDS = st.lists(st.sampled_from("abcd"), max_size=3)
STEPS = st.lists(st.tuples(st.sampled_from(["add", "remove", "replace"]), IDS), max_size=6)


@settings(max_examples=100, deadline=None)
@given(st.sets(st.sampled_from("abcd")), STEPS)
def test_changes_of_a_set_end_as_if_done_one_by_one(members: set[str], steps: list[tuple[str, list[str]]]):
    operations = [{"op": op, "path": "members", "value": ids} for op, ids in steps]
    group = {"schemas": [GROUP.schema.urn], "displayName": "G"}
    patched = apply(parse({"schemas": SCHEMAS, "Operations": operations}, GROUP), group, GROUP)

    expected = set(members)
    for op, ids in steps:
        expected = {"add": expected | set(ids), "remove": expected - set(ids), "replace": set(ids)}[op]
    changes = patched.sets.get("members", ())
    assert len(changes) <= 2
    assert done(members, changes) == expected


def done(members: set[str], changes: tuple[SetChange, ...]) -> set[str]:
    for change in changes:
        values = set(change.values)
        members = {
            SetKind.ADD: members | values,
            SetKind.REMOVE: members - values,
            SetKind.REPLACE: values,
            SetKind.CLEAR: set(),
        }[change.kind]
    return members
