"""What the tests of PATCH share: two users, and a patch that checks what holds for all."""

import copy
from typing import Any

from scim.documents import normalize
from scim.patch import Patched, apply, parse
from scim.schema import ENTERPRISE_SCHEMA, INFO_SCHEMA, USER

ENT = ENTERPRISE_SCHEMA.urn
INFO = INFO_SCHEMA.urn
CORE = USER.schema.urn
CUSTOM = "urn:ietf:params:scim:schemas:extension:acme:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

WORK = {"type": "work", "value": "a@work", "primary": True}
HOME = {"type": "home", "value": "a@home"}
ANNA: dict[str, Any] = {
    "schemas": [CORE],
    "userName": "anna",
    "title": "Boss",
    "active": True,
    "name": {"formatted": "Anna M", "givenName": "Anna", "familyName": "M"},
    "emails": [WORK, HOME],
}
BARE: dict[str, Any] = {"schemas": [CORE], "userName": "anna"}


def patch(document: dict[str, Any], *operations: object, read_only: dict[str, Any] | None = None) -> Patched:
    before = copy.deepcopy(document)
    body = {"schemas": [PATCH_OP], "Operations": list(operations)}
    patched = apply(parse(body, USER), document, USER, read_only=read_only or {})
    assert document == before
    assert patched.changed is (patched.document != document)
    assert normalize(USER, patched.document).document == patched.document
    return patched


def op(op_: str, path: str | None = None, *values: object) -> dict[str, Any]:
    return {"op": op_} | ({"path": path} if path is not None else {}) | ({"value": values[0]} if values else {})
