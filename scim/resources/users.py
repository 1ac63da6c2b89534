"""Users: SCIM documents ↔ login accounts (RFC 7643 §4.1, §4.3)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from django.db import connection

from provisioning.models import LoginAccount, ProvisioningConfiguration
from provisioning.services import accounts
from provisioning.services.accounts import AccountNotFound, AccountProfile, shown_active
from provisioning.services.calls import Call
from provisioning.sql import Columns
from scim import patch
from scim.documents import Document, normalize
from scim.filter.match import fold_document
from scim.filter.places import SEVERAL
from scim.projection import Projection
from scim.resources.queries import Query
from scim.resources.reading import Page, Selection, one, page_of
from scim.resources.rendering import (
    Answer,
    etag,
    location,
    meta,
    read_only,
    with_schemas,
    without_schemas,
)
from scim.schema import ENTERPRISE_SCHEMA, GROUP, INFO_SCHEMA, USER

Change = Callable[[LoginAccount], AccountProfile | None]


class _Row(NamedTuple):
    """What is read of a user, in the order of the statement's columns."""

    pk: int
    scim_id: str
    document: Document
    is_enabled: bool
    intended_active: bool | None
    version: int
    created_at: datetime
    modified_at: datetime
    manager_name: str | None
    scim_groups: str | None
    sort_value: Any = None


_COLUMNS = Columns(
    LoginAccount,
    ("id", "scim_id", "document", "is_enabled", "intended_active", "version", "created_at", "modified_at"),
    lambda values: _Row(*values),
)


def read(*, configuration: ProvisioningConfiguration, scim_id: str, projection: Projection) -> Answer:
    """Return one user. Raises ``AccountNotFound``."""
    row = one(_selection(projection), configuration, scim_id)
    if row is None:
        raise AccountNotFound(scim_id)
    return _answer(row, row.manager_name, configuration.tenant_url, projection)


def search(*, configuration: ProvisioningConfiguration, query: Query) -> tuple[Page, list[Document]]:
    """Return one page of the configuration's users, and how many there are in all."""
    base, page = configuration.tenant_url, page_of(_selection(query.projection), configuration, query)
    return page, [query.projection.apply(render(row, row.manager_name, base)) for row in page.rows]


def create(*, body: object, call: Call, projection: Projection) -> Answer:
    """Create a user. Raises ``ScimError``, ``UsernameTaken``, ``ExternalIdTaken``."""
    account = accounts.create_account(profile=profile_of(normalize(USER, body).document), call=call)
    return _answer(account, _manager_name(account), call.configuration.tenant_url, projection)


def replace(*, scim_id: str, body: object, call: Call, projection: Projection) -> Answer:
    """Give a user this content and no other. Raises as ``create`` does, and ``AccountNotFound``."""
    document = normalize(USER, body).document
    return _changed(scim_id, lambda account: _news(account, document), call, projection)


def modify(*, scim_id: str, body: object, call: Call, projection: Projection | None) -> Answer:
    """Carry out a PATCH; the user is told only where ``projection`` says what of it (D-11).

    Raises as ``replace`` does.
    """
    operations = patch.parse(body, USER)

    def change(account: LoginAccount) -> AccountProfile | None:
        known = read_only(USER, account, call.configuration.tenant_url)
        patched = patch.apply(operations, with_schemas(USER, _current(account)), USER, read_only=known)
        return _news(account, patched.document) if patched.changed else None

    return _changed(scim_id, change, call, projection)


def remove(*, scim_id: str, call: Call) -> None:
    """Make SCIM forget a user. Raises ``AccountNotFound``."""
    accounts.remove_account(scim_id=scim_id, call=call)


def profile_of(document: Document) -> AccountProfile:
    """Return the account that a normalized document describes; who is not said to be inactive is active."""
    kept = {"active": True, **without_schemas(document)}
    info = kept.get(INFO_SCHEMA.urn, {})
    return AccountProfile(
        username=kept["userName"],
        external_id=kept.get("externalId"),
        full_name=full_name(kept),
        email=_email(kept),
        email_key=_email_key(kept),
        display_name=kept.get("displayName", ""),
        info1=info.get("info1", ""),
        info2=info.get("info2", ""),
        is_enabled=kept["active"],
        document=kept,
        search=fold_document(USER, kept),
    )


def full_name(document: Document) -> str:
    """Return the name for people, or an empty text."""
    name = document.get("name", {})
    parts = f"{name.get('givenName', '')} {name.get('familyName', '')}".strip(" ")
    return str(document.get("displayName") or name.get("formatted") or parts)


def render(row: Any, manager_name: str | None, base: str) -> Document:
    """Return the user that ``row`` holds: a ``LoginAccount`` or what was selected of one."""
    resource = with_schemas(USER, row.document)
    resource["active"] = shown_active(row)
    if manager := row.document.get(ENTERPRISE_SCHEMA.urn, {}).get("manager"):
        shown = {**manager, "$ref": location(USER, manager["value"], base)}
        if manager_name:
            shown["displayName"] = manager_name
        resource[ENTERPRISE_SCHEMA.urn] = {**resource[ENTERPRISE_SCHEMA.urn], "manager": shown}
    if groups := getattr(row, "scim_groups", None):
        resource["groups"] = [_group(scim_id, name, base) for scim_id, name in orjson.loads(groups)]
    return {"schemas": resource.pop("schemas"), "id": row.scim_id, **resource, "meta": meta(USER, row, base)}


def _group(scim_id: str, display_name: str, base: str) -> Document:
    return {"value": scim_id, "$ref": location(GROUP, scim_id, base), "display": display_name, "type": "direct"}


def _answer(row: Any, manager_name: str | None, base: str, projection: Projection) -> Answer:
    body = projection.apply(render(row, manager_name, base))
    return Answer(body, location(USER, row.scim_id, base), etag(row.version))


def _selection(projection: Projection) -> Selection:
    return Selection(USER, _COLUMNS, "".join(f", {text}" for text in _expressions(projection).values()))


def _expressions(projection: Projection) -> dict[str, str]:
    """Return what the statement that reads a user tells besides: the manager's name, the groups if they are wanted."""
    groups = f"({_GROUPS[connection.vendor]})" if projection.wants("groups") else "NULL"
    return {"manager_name": f"({_MANAGER_NAME[connection.vendor]})", "scim_groups": groups}


def _changed(scim_id: str, change: Change, call: Call, projection: Projection | None) -> Answer:
    base, managers = call.configuration.tenant_url, list[str]()

    def noted_change(account: LoginAccount) -> AccountProfile | None:
        managers.append(_manager_id(account))
        return change(account)

    more = _expressions(projection) if projection else None
    account: Any = accounts.change_account(scim_id=scim_id, change=noted_change, call=call, more=more)
    if projection is None:
        return Answer(None, location(USER, scim_id, base), etag(account.version))
    is_same = _manager_id(account) == managers[0]
    manager_name = account.manager_name if is_same else _manager_name(account)
    return _answer(account, manager_name, base, projection)


def _news(account: LoginAccount, document: Document) -> AccountProfile | None:
    """Return what becomes of the account; None: nothing. Who is not said to be active or inactive stays what they are.

    Nobody who was dismissed comes back because a client left ``active`` out, or removed it.
    """
    profile = profile_of({"active": shown_active(account), **without_schemas(document)})
    return None if profile.document == _current(account) else profile


def _current(account: LoginAccount) -> Document:
    """Return the stored document; people in the portal disable accounts, too."""
    return {**account.document, "active": shown_active(account)}


def _manager_id(account: LoginAccount) -> str:
    return str(account.document.get(ENTERPRISE_SCHEMA.urn, {}).get("manager", {}).get("value", ""))


def _manager_name(account: LoginAccount) -> str | None:
    manager_id = _manager_id(account)
    if not manager_id:
        return None
    managers = LoginAccount.objects.filter(configuration_id=account.configuration_id, scim_id=manager_id)
    return managers.values_list("full_name", flat=True).first()


def _email(document: Document) -> str:
    """Return the work address, else the primary one, else the first."""
    elements = document.get("emails", [])
    primary = [element for element in elements if element.get("primary")]
    return next((element["value"] for element in [*_work(elements), *primary, *elements] if "value" in element), "")


def _email_key(document: Document) -> str:
    addresses = [element["value"].casefold() for element in _work(document.get("emails", [])) if "value" in element]
    return SEVERAL if len(addresses) > 1 else "".join(addresses)


def _work(elements: list[Document]) -> list[Document]:
    return [element for element in elements if element.get("type", "").casefold() == "work"]


_GROUPS = {
    "postgresql": """
SELECT jsonb_agg(jsonb_build_array(g.scim_id, g.display_name) ORDER BY g.id)::text
FROM provisioning_groupmembership m JOIN provisioning_usergroup g ON g.id = m.group_id
WHERE m.account_id = provisioning_loginaccount.id AND g.deleted_at IS NULL""",
    "sqlite": """
SELECT NULLIF(json_group_array(json_array(scim_id, display_name)), '[]') FROM (
SELECT g.scim_id, g.display_name
FROM provisioning_groupmembership m JOIN provisioning_usergroup g ON g.id = m.group_id
WHERE m.account_id = provisioning_loginaccount.id AND g.deleted_at IS NULL ORDER BY g.id)""",
}
_MANAGER = """
SELECT manager.full_name FROM provisioning_loginaccount AS manager
WHERE manager.configuration_id = provisioning_loginaccount.configuration_id AND manager.scim_id = """
_MANAGER_NAME = {
    "postgresql": f"{_MANAGER}provisioning_loginaccount.document #>> '{{{ENTERPRISE_SCHEMA.urn},manager,value}}'",
    "sqlite": f"{_MANAGER}json_extract(provisioning_loginaccount.document, "
    f"""'$."{ENTERPRISE_SCHEMA.urn}".manager.value')""",
}
