"""Extensions of User: enterprise (RFC 7643 §4.3) and info, the two texts of the M-Files gallery connector."""

from scim.schema.common import read_only
from scim.schema.table import Attribute, Schema, Type

ENTERPRISE_SCHEMA = Schema(
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    "EnterpriseUser",
    "What an organization knows about a user.",
    (
        Attribute("employeeNumber", "Number of the employee."),
        Attribute("costCenter", "Cost center."),
        Attribute("organization", "Organization."),
        Attribute("division", "Division."),
        Attribute("department", "Department."),
        Attribute(
            "manager",
            "The user's manager.",
            Type.COMPLEX,
            sub_attributes=(
                Attribute("value", "Id of the manager.", case_exact=True, is_id=True),
                Attribute(
                    "$ref",
                    "Address of the manager.",
                    Type.REFERENCE,
                    case_exact=True,
                    reference_types=("User",),
                    follows_id=True,
                ),
                read_only("displayName", "Name of the manager."),
            ),
        ),
    ),
)

INFO_SCHEMA = Schema(
    "urn:ietf:params:scim:schemas:extension:info:2.0:User",
    "InfoUser",
    "Additional information about a user.",
    (
        Attribute("info1", "Additional information 1."),
        Attribute("info2", "Additional information 2."),
    ),
)
