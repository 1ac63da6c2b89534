"""The one table that says what the protocol is; filter, PATCH, documents and discovery are driven by it."""

from scim.schema.common import COMMON
from scim.schema.extensions import ENTERPRISE_SCHEMA, INFO_SCHEMA
from scim.schema.group import GROUP_SCHEMA
from scim.schema.table import (
    Attribute,
    Field,
    Mutability,
    ResourceType,
    Returned,
    Schema,
    Type,
    Uniqueness,
)
from scim.schema.user import USER_SCHEMA

USER = ResourceType("User", "/Users", "User account.", USER_SCHEMA, (ENTERPRISE_SCHEMA, INFO_SCHEMA), COMMON)
GROUP = ResourceType("Group", "/Groups", "Group of users.", GROUP_SCHEMA, (), COMMON)
RESOURCE_TYPES = (USER, GROUP)

__all__ = [
    "ENTERPRISE_SCHEMA",
    "GROUP",
    "GROUP_SCHEMA",
    "INFO_SCHEMA",
    "RESOURCE_TYPES",
    "USER",
    "USER_SCHEMA",
    "Attribute",
    "Field",
    "Mutability",
    "ResourceType",
    "Returned",
    "Schema",
    "Type",
    "Uniqueness",
]
