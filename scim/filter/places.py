"""Where the values of a resource are: columns that indexes know, rows of other tables, and the JSON of ``search``.

``search`` is the folded document, so everything in it compares as it is. What the service itself says of a
resource (``id``, ``meta``, ``groups``, the manager's name) stands in columns and other rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scim.filter.ast import And, Compare, Node, Operator
from scim.filter.dialects import Dialect
from scim.schema import ENTERPRISE_SCHEMA, GROUP, USER
from scim.schema.table import Field, ResourceType

ACCOUNTS = "provisioning_loginaccount"
GROUPS = "provisioning_usergroup"
MEMBERSHIPS = "provisioning_groupmembership"
NESTINGS = "provisioning_groupnesting"
SEVERAL = "*"
"""What stands in ``email_key`` for an account with several work addresses: look into the document."""


@dataclass(frozen=True, slots=True)
class Sql:
    text: str
    parameters: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A single value: NULL where there is none.

    ``key`` is a column that an index finds by equality, ``moment`` one that holds a point in time, ``flag`` a boolean
    in SQL; ``comparand`` is the placeholder of what the value is compared with.
    """

    value: Sql
    key: str = ""
    moment: str = ""
    flag: str = ""
    comparand: str = "%s"


@dataclass(frozen=True, slots=True)
class Rows:
    """The elements of a multi-valued attribute as rows: ``FROM source WHERE condition``; ``place`` finds in one.

    Elements in a table of their own belong to the resource whose column ``owner`` their column ``link`` has;
    ``found_by`` is the sub-attribute that an index finds them by.
    """

    source: Sql
    condition: str
    place: Callable[[Field], Place]
    owner: str = ""
    link: str = ""
    found_by: str = ""

    @property
    def of_resource(self) -> str:
        """The condition on elements of one resource."""
        belonging = f"{self.link} = {self.owner}" if self.link else ""
        return " AND ".join(filter(None, (belonging, self.condition))) or "TRUE"


@dataclass(frozen=True, slots=True)
class Context:
    """``base`` is the address of the service, which ``location`` and ``$ref`` begin with."""

    dialect: Dialect
    base: str


@dataclass(frozen=True)
class Layout:
    """Where one resource type keeps what is not in the JSON, by the notation of RFC 7644 §3.10.

    ``known`` is what makes a row of the table a resource of SCIM.
    """

    table: str
    known: str
    places: Mapping[str, Callable[[Context], Place]]
    rows: Mapping[str, tuple[Callable[[Context], Rows], ...]]
    prefilters: Mapping[str, Callable[[Node], Sql | None]] = field(default_factory=dict)

    def place(self, field: Field, context: Context) -> Place:
        """Return where the value of a single-valued field is."""
        make = self.places.get(str(field))
        return make(context) if make else in_json(f"{self.table}.search", _path(field), field, context.dialect)

    def several(self, field: Field, context: Context) -> list[Rows]:
        """Return where the elements of a multi-valued field are."""
        made = self.rows.get(str(Field(field.extension, field.attribute)))
        if made:
            return [make(context) for make in made]
        source = context.dialect.json_elements(f"{self.table}.search", _path(Field(field.extension, field.attribute)))
        return [Rows(Sql(source), "", lambda sub: in_json("element.value", (sub.leaf.name,), sub, context.dialect))]

    def preferred(self, field: Field, context: Context) -> Place:
        """Return where the value of ``field`` is in the primary element of its attribute, else in the first."""
        path = _path(Field(field.extension, field.attribute))
        element = context.dialect.json_preferred(f"{self.table}.search", path)
        return in_json(element, (field.leaf.name,), field, context.dialect)


def in_json(holder: str, path: tuple[str, ...], field: Field, dialect: Dialect) -> Place:
    """Return where a value inside JSON is."""
    if field.leaf.is_text or field.leaf.sub_attributes:
        return Place(Sql(dialect.json_text(holder, path)))
    return Place(Sql(dialect.json_scalar(holder, path)), comparand=dialect.json_comparand)


def folded_name(account: str, dialect: Dialect) -> str:
    """Return the SQL of an account's folded full name: what ``scim.resources.users.full_name`` puts together."""
    formatted, given, family = (
        dialect.json_text(f"{account}.search", ("name", part)) for part in ("formatted", "givenName", "familyName")
    )
    parts = f"NULLIF(trim(COALESCE({given}, '') || ' ' || COALESCE({family}, '')), '')"
    return f"COALESCE(NULLIF({account}.display_name_key, ''), {formatted}, {parts})"


def _path(field: Field) -> tuple[str, ...]:
    names = (field.extension, field.attribute.name, field.sub and field.sub.name)
    return tuple(name for name in names if name)


def _column(text: str) -> Callable[[Context], Place]:
    return lambda _context: Place(Sql(text))


def _key(column: str) -> Callable[[Context], Place]:
    return lambda _context: Place(Sql(f"NULLIF({column}, '')"), key=column)


def _flag(text: str) -> Callable[[Context], Place]:
    return lambda context: Place(Sql(context.dialect.scalar(text)), comparand=context.dialect.json_comparand, flag=text)


def _moment(column: str) -> Callable[[Context], Place]:
    return lambda context: Place(Sql(context.dialect.time_text(column)), moment=column)


def _constant(text: str) -> Place:
    return Place(Sql("CAST(%s AS text)", (text,)))


def _address(endpoint: str, identifier: str) -> Callable[[Context], Place]:
    return lambda context: Place(Sql(f"(CAST(%s AS text) || {identifier})", (f"{context.base}{endpoint}/",)))


def _common(table: str, resource_type: ResourceType) -> dict[str, Callable[[Context], Place]]:
    return {
        "id": lambda _context: Place(Sql(f"{table}.scim_id"), key=f"{table}.scim_id"),
        "externalId": lambda _context: Place(Sql(f"{table}.external_id"), key=f"{table}.external_id"),
        "meta": lambda _context: _constant(""),
        "meta.resourceType": lambda _context: _constant(resource_type.name),
        "meta.created": _moment(f"{table}.created_at"),
        "meta.lastModified": _moment(f"{table}.modified_at"),
        "meta.location": _address(resource_type.endpoint, f"{table}.scim_id"),
        "meta.version": _column(f"""('W/"' || {table}.version || '"')"""),
    }


def _schemas(table: str, resource_type: ResourceType) -> tuple[Callable[[Context], Rows], ...]:
    def rows(context: Context) -> Rows:
        keys = context.dialect.json_keys(f"{table}.search")
        source = f"(SELECT CAST(%s AS text) AS value UNION ALL {keys}) AS element"
        is_urn = "lower(substr(element.value, 1, 4)) = 'urn:'"
        return Rows(Sql(source, (resource_type.schema.urn,)), is_urn, lambda _field: Place(Sql("element.value")))

    return (rows,)


def _linked(
    source: str, owner: str, link: str, condition: str, places: Mapping[str, Callable[[Context], Place]]
) -> Callable[[Context], Rows]:
    return lambda context: Rows(
        Sql(source), condition, lambda sub: places[sub.leaf.name](context), owner, link, found_by="value"
    )


_GROUPS_OF_USER = _linked(
    f"{MEMBERSHIPS} AS link JOIN {GROUPS} AS linked ON linked.id = link.group_id",
    f"{ACCOUNTS}.id",
    "link.account_id",
    "linked.deleted_at IS NULL",
    {
        "value": _column("linked.scim_id"),
        "$ref": _address(GROUP.endpoint, "linked.scim_id"),
        "display": _column("linked.display_name_key"),
        "type": lambda _context: _constant("direct"),
    },
)
_USERS_IN_GROUP = _linked(
    f"{MEMBERSHIPS} AS link JOIN {ACCOUNTS} AS linked ON linked.id = link.account_id",
    f"{GROUPS}.id",
    "link.group_id",
    "linked.scim_id IS NOT NULL",
    {
        "value": _column("linked.scim_id"),
        "$ref": _address(USER.endpoint, "linked.scim_id"),
        "display": lambda context: Place(Sql(folded_name("linked", context.dialect))),
        "type": lambda _context: _constant(USER.name.casefold()),
    },
)
_GROUPS_IN_GROUP = _linked(
    f"{NESTINGS} AS link JOIN {GROUPS} AS linked ON linked.id = link.child_id",
    f"{GROUPS}.id",
    "link.group_id",
    "linked.deleted_at IS NULL",
    {
        "value": _column("linked.scim_id"),
        "$ref": _address(GROUP.endpoint, "linked.scim_id"),
        "display": _column("linked.display_name_key"),
        "type": lambda _context: _constant(GROUP.name.casefold()),
    },
)


def _manager_id(dialect: Dialect) -> str:
    return dialect.json_text(f"{ACCOUNTS}.search", (ENTERPRISE_SCHEMA.urn, "manager", "value"))


def _manager_name(context: Context) -> Place:
    name, identifier = folded_name("manager", context.dialect), _manager_id(context.dialect)
    return Place(
        Sql(
            f"(SELECT {name} FROM {ACCOUNTS} AS manager WHERE manager.scim_id = {identifier} "  # noqa: S608
            f"AND manager.configuration_id = {ACCOUNTS}.configuration_id)"
        )
    )


def _work_address(condition: Node) -> Sql | None:
    """Narrow ``type eq "work" and value eq "x"`` by the index; the element itself is still looked at."""
    terms = condition.terms if isinstance(condition, And) else ()
    asked = {
        term.field.leaf.name: term.comparand
        for term in terms
        if isinstance(term, Compare) and term.operator is Operator.EQ
    }
    if asked.get("type") != "work" or not asked.get("value"):
        return None
    return Sql(f"{ACCOUNTS}.email_key IN (%s, %s)", (asked["value"], SEVERAL))


LAYOUTS: Mapping[ResourceType, Layout] = {
    USER: Layout(
        ACCOUNTS,
        "scim_id IS NOT NULL",
        {
            **_common(ACCOUNTS, USER),
            "userName": _key(f"{ACCOUNTS}.username_key"),
            "displayName": _key(f"{ACCOUNTS}.display_name_key"),
            "active": _flag(f"COALESCE({ACCOUNTS}.intended_active, {ACCOUNTS}.is_enabled)"),
            f"{ENTERPRISE_SCHEMA.urn}:manager.$ref": lambda context: _address(
                USER.endpoint, _manager_id(context.dialect)
            )(context),
            f"{ENTERPRISE_SCHEMA.urn}:manager.displayName": _manager_name,
        },
        {"schemas": _schemas(ACCOUNTS, USER), "groups": (_GROUPS_OF_USER,)},
        {"emails": _work_address},
    ),
    GROUP: Layout(
        GROUPS,
        "deleted_at IS NULL",
        {**_common(GROUPS, GROUP), "displayName": _key(f"{GROUPS}.display_name_key")},
        {"schemas": _schemas(GROUPS, GROUP), "members": (_USERS_IN_GROUP, _GROUPS_IN_GROUP)},
    ),
}
