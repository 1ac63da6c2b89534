"""Attributes that every resource has (RFC 7643 §3, §3.1), and the sub-attributes that recur (§2.4)."""

from scim.schema.table import Attribute, Mutability, Returned, Type, Uniqueness

SCHEMAS = Attribute(
    "schemas",
    "URNs of the schemas the resource has data of.",
    Type.REFERENCE,
    multi_valued=True,
    case_exact=True,
    mutability=Mutability.READ_ONLY,
    returned=Returned.ALWAYS,
)
ID = Attribute(
    "id",
    "Identifier the service gave the resource.",
    case_exact=True,
    mutability=Mutability.READ_ONLY,
    returned=Returned.ALWAYS,
    uniqueness=Uniqueness.SERVER,
)
EXTERNAL_ID = Attribute(
    "externalId",
    "Identifier the client gave the resource.",
    case_exact=True,
    uniqueness=Uniqueness.SERVER,  # in its configuration: it may be the attribute that resources are matched by (D-17)
)


def _meta(name: str, description: str, type_: Type = Type.STRING) -> Attribute:
    return Attribute(name, description, type_, case_exact=type_ is not Type.DATE_TIME, mutability=Mutability.READ_ONLY)


META = Attribute(
    "meta",
    "What the service knows about the resource.",
    Type.COMPLEX,
    mutability=Mutability.READ_ONLY,
    sub_attributes=(
        _meta("resourceType", "Name of the resource type."),
        _meta("created", "When the resource was created.", Type.DATE_TIME),
        _meta("lastModified", "When the resource was last changed.", Type.DATE_TIME),
        _meta("location", "Address of the resource.", Type.REFERENCE),
        _meta("version", "Version of the resource, its ETag."),
    ),
)
COMMON = (SCHEMAS, ID, EXTERNAL_ID, META)

DISPLAY = Attribute("display", "Text for people.", aliases=("displayName",))
PRIMARY = Attribute("primary", "Whether this is the preferred one; at most one is.", Type.BOOLEAN, label=True)


def kind(*canonical_values: str) -> Attribute:
    """Return the sub-attribute ``type`` with its usual values; others are allowed (RFC 7643 §7)."""
    return Attribute("type", "What it is for.", canonical_values=canonical_values, label=True)


def several(name: str, description: str, *sub_attributes: Attribute) -> Attribute:
    return Attribute(name, description, Type.COMPLEX, multi_valued=True, sub_attributes=sub_attributes)


def read_only(name: str, description: str, type_: Type = Type.STRING, *references: str) -> Attribute:
    return Attribute(
        name,
        description,
        type_,
        case_exact=type_ is Type.REFERENCE,
        mutability=Mutability.READ_ONLY,
        reference_types=references,
    )
