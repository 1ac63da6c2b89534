"""The core Group (RFC 7643 §4.2, §8.7.1)."""

from scim.schema.table import Attribute, Mutability, Schema, Type, Uniqueness

MEMBERS = Attribute(
    "members",
    "Members of the group.",
    Type.COMPLEX,
    multi_valued=True,
    kept_as_set=True,
    sub_attributes=(
        Attribute(
            "value",
            "Id of the member.",
            required=True,
            case_exact=True,
            mutability=Mutability.IMMUTABLE,
            is_id=True,
        ),
        Attribute(
            "$ref",
            "Address of the member.",
            Type.REFERENCE,
            case_exact=True,
            mutability=Mutability.IMMUTABLE,
            reference_types=("User", "Group"),
            follows_id=True,
        ),
        Attribute("display", "Name of the member.", mutability=Mutability.READ_ONLY, aliases=("displayName",)),
        Attribute(
            "type",
            "Resource type of the member.",
            mutability=Mutability.IMMUTABLE,
            canonical_values=("User", "Group"),
            follows_id=True,
        ),
    ),
)

GROUP_SCHEMA = Schema(
    "urn:ietf:params:scim:schemas:core:2.0:Group",
    "Group",
    "Group of users.",
    (
        Attribute("displayName", "Name of the group.", required=True, uniqueness=Uniqueness.SERVER),
        MEMBERS,
    ),
)
