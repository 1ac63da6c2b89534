"""The core User (RFC 7643 §4.1, §8.7.1)."""

from scim.schema.common import DISPLAY, PRIMARY, kind, read_only, several
from scim.schema.table import Attribute, Mutability, Returned, Schema, Type, Uniqueness

NAME = Attribute(
    "name",
    "The parts of the person's name.",
    Type.COMPLEX,
    sub_attributes=(
        Attribute("formatted", "The whole name as it is displayed."),
        Attribute("familyName", "Family name."),
        Attribute("givenName", "Given name."),
        Attribute("middleName", "Middle names."),
        Attribute("honorificPrefix", "Title before the name."),
        Attribute("honorificSuffix", "Title after the name."),
    ),
)

EMAILS = several(
    "emails",
    "E-mail addresses.",
    Attribute("value", "The address."),
    DISPLAY,
    kind("work", "home", "other"),
    PRIMARY,
)

PHONE_NUMBERS = several(
    "phoneNumbers",
    "Telephone numbers.",
    Attribute("value", "The number."),
    DISPLAY,
    kind("work", "home", "mobile", "fax", "pager", "other"),
    PRIMARY,
)

IMS = several(
    "ims",
    "Addresses for instant messages.",
    Attribute("value", "The address."),
    DISPLAY,
    kind("aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"),
    PRIMARY,
)

PHOTOS = several(
    "photos",
    "Addresses of pictures.",
    Attribute("value", "The address.", Type.REFERENCE, case_exact=True, reference_types=("external",)),
    DISPLAY,
    kind("photo", "thumbnail"),
    PRIMARY,
)

ADDRESSES = several(
    "addresses",
    "Postal addresses.",
    Attribute("formatted", "The whole address as it is displayed."),
    Attribute("streetAddress", "Street, house and floor."),
    Attribute("locality", "City."),
    Attribute("region", "State or region."),
    Attribute("postalCode", "Postal code."),
    Attribute("country", "Country, ISO 3166-1 alpha-2."),
    kind("work", "home", "other"),
    PRIMARY,
)

GROUPS = Attribute(
    "groups",
    "Groups the user is a member of; changed through the groups.",
    Type.COMPLEX,
    multi_valued=True,
    mutability=Mutability.READ_ONLY,
    sub_attributes=(
        Attribute("value", "Id of the group.", case_exact=True, mutability=Mutability.READ_ONLY),
        read_only("$ref", "Address of the group.", Type.REFERENCE, "Group"),
        read_only("display", "Name of the group."),
        Attribute(
            "type",
            "Whether the membership is direct.",
            mutability=Mutability.READ_ONLY,
            canonical_values=("direct", "indirect"),
        ),
    ),
)


def _labelled(name: str, description: str, value: Attribute) -> Attribute:
    return several(name, description, value, DISPLAY, kind(), PRIMARY)


USER_SCHEMA = Schema(
    "urn:ietf:params:scim:schemas:core:2.0:User",
    "User",
    "User account.",
    (
        Attribute("userName", "Name to sign in with.", required=True, uniqueness=Uniqueness.SERVER),
        NAME,
        Attribute("displayName", "Name as it is shown to people."),
        Attribute("nickName", "Casual name."),
        Attribute(
            "profileUrl",
            "Address of an online profile.",
            Type.REFERENCE,
            case_exact=True,
            reference_types=("external",),
        ),
        Attribute("title", "Job title."),
        Attribute("userType", "Relation to the organization."),
        Attribute("preferredLanguage", "Language for texts, as in Accept-Language."),
        Attribute("locale", "Locale for dates and numbers."),
        Attribute("timezone", "Time zone, as in Europe/Helsinki."),
        Attribute("active", "Whether the account is enabled.", Type.BOOLEAN),
        Attribute(
            "password",
            "Accepted and never stored.",
            case_exact=True,
            mutability=Mutability.WRITE_ONLY,
            returned=Returned.NEVER,
        ),
        EMAILS,
        PHONE_NUMBERS,
        IMS,
        PHOTOS,
        ADDRESSES,
        GROUPS,
        _labelled("entitlements", "Things the user may have.", Attribute("value", "The entitlement.")),
        _labelled("roles", "Roles of the user.", Attribute("value", "The role.")),
        _labelled(
            "x509Certificates",
            "Certificates of the user.",
            Attribute("value", "The certificate, base64 of DER.", Type.BINARY, case_exact=True),
        ),
    ),
)
