"""The mappings that a job can have: the M-Files gallery connector's, and the generic SCIM application's."""

from dataclasses import replace
from enum import StrEnum

from mfmanage.entra.directory import Group, User
from mfmanage.entra.mapping import ENTERPRISE, INFO, ROLE_TYPE, AttributeMapping, Json, Row, Target


class Roles(StrEnum):
    """The expression that is mapped to ``roles`` (Microsoft Learn, *customize-application-attributes*)."""

    SINGLE = "single"
    ASSERTIVE = "assertive"


def full_name(user: User) -> str | None:
    """Return ``Join(" ", [givenName], [surname])``."""
    return " ".join(part for part in (user.given_name, user.surname) if part) or None


def _first_proxy_address(user: User) -> str | None:
    return next(iter(user.proxy_addresses), None)


def _first_role(user: User) -> str | None:
    return next(iter(user.app_roles), None)


def _all_roles(user: User) -> list[Json]:
    return [{"primary": False, "type": ROLE_TYPE, "display": role, "value": role} for role in user.app_roles]


USER_NAME = Target(attribute="userName")

COMMON: tuple[Row[User], ...] = (
    Row(USER_NAME, lambda user: user.user_principal_name),
    Row(Target(attribute="active"), lambda user: user.is_active),
    Row(Target(attribute="displayName"), lambda user: user.display_name),
    Row(Target(attribute="emails", type="work", sub="value"), lambda user: user.mail),
    Row(Target(attribute="name", sub="givenName"), lambda user: user.given_name),
    Row(Target(attribute="name", sub="familyName"), lambda user: user.surname),
    Row(Target(attribute="name", sub="formatted"), full_name),
    Row(Target(attribute="externalId"), lambda user: user.mail_nickname),
)
INFORMATION: tuple[Row[User], ...] = (
    Row(Target(urn=INFO, attribute="info1"), lambda user: user.info1),
    Row(Target(urn=INFO, attribute="info2"), lambda user: user.info2),
)
DETAILS: tuple[Row[User], ...] = (
    Row(Target(attribute="title"), lambda user: user.job_title),
    Row(Target(attribute="emails", type="other", sub="value", spelled="Value"), _first_proxy_address),
    Row(Target(attribute="preferredLanguage"), lambda user: user.preferred_language),
    Row(
        Target(attribute="addresses", type="other", sub="formatted", spelled="Formatted"),
        lambda user: user.physical_delivery_office_name,
    ),
    Row(Target(attribute="addresses", type="work", sub="streetAddress"), lambda user: user.street_address),
    Row(Target(attribute="addresses", type="work", sub="locality"), lambda user: user.city),
    Row(Target(attribute="addresses", type="work", sub="region"), lambda user: user.state),
    Row(Target(attribute="addresses", type="work", sub="postalCode"), lambda user: user.postal_code),
    Row(Target(attribute="addresses", type="work", sub="country"), lambda user: user.country),
    Row(Target(attribute="phoneNumbers", type="work", sub="value"), lambda user: user.telephone_number),
    Row(Target(attribute="phoneNumbers", type="mobile", sub="value"), lambda user: user.mobile),
    Row(Target(attribute="phoneNumbers", type="fax", sub="value"), lambda user: user.facsimile_telephone_number),
    Row(Target(urn=ENTERPRISE, attribute="employeeNumber"), lambda user: user.employee_id),
    Row(Target(urn=ENTERPRISE, attribute="department"), lambda user: user.department),
)
GROUP_ROWS: tuple[Row[Group], ...] = (
    Row(Target(attribute="displayName"), lambda group: group.display_name),
    Row(Target(attribute="externalId"), lambda group: group.id),
)
ROLES: dict[Roles, Row[User]] = {
    Roles.SINGLE: Row(Target(attribute="roles", is_primary=True, sub="value"), _first_role),
    Roles.ASSERTIVE: Row(Target(attribute="roles"), _all_roles),
}

GALLERY = AttributeMapping(name="gallery", users=(*COMMON, *INFORMATION), groups=GROUP_ROWS, matching=(USER_NAME,))
"""M-Files' connector (Microsoft Learn, *m-files-provisioning-tutorial*), and ``displayName`` of users beside."""

GENERIC = AttributeMapping(name="generic", users=(*COMMON, *DETAILS), groups=GROUP_ROWS, matching=(USER_NAME,))
"""What Entra proposes for an application that is not in its gallery."""

MAPPINGS = {mapping.name: mapping for mapping in (GALLERY, GENERIC)}


def with_roles(mapping: AttributeMapping, roles: Roles) -> AttributeMapping:
    """Return ``mapping`` with a line that maps the assigned application roles."""
    return replace(mapping, name=f"{mapping.name} with {roles} roles", users=(*mapping.users, ROLES[roles]))
