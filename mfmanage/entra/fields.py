"""The keys of a directory file and the checks of one object; each fault is a sentence that names the place."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class DirectoryInvalid(Exception):
    """The directory cannot be read or is not in the documented form; the text names the place."""


class Field(NamedTuple):
    """A key of the file: the attribute it fills, its type, and whether a new object must have it."""

    attribute: str
    type: type
    required: bool = False


USER = {
    "id": Field("id", str, required=True),
    "userPrincipalName": Field("user_principal_name", str, required=True),
    "displayName": Field("display_name", str),
    "givenName": Field("given_name", str),
    "surname": Field("surname", str),
    "mail": Field("mail", str),
    "mailNickname": Field("mail_nickname", str),
    "accountEnabled": Field("account_enabled", bool),
    "info1": Field("info1", str),
    "info2": Field("info2", str),
    "manager": Field("manager", str),
    "jobTitle": Field("job_title", str),
    "department": Field("department", str),
    "employeeId": Field("employee_id", str),
    "preferredLanguage": Field("preferred_language", str),
    "proxyAddresses": Field("proxy_addresses", list),
    "physicalDeliveryOfficeName": Field("physical_delivery_office_name", str),
    "streetAddress": Field("street_address", str),
    "city": Field("city", str),
    "state": Field("state", str),
    "postalCode": Field("postal_code", str),
    "country": Field("country", str),
    "telephoneNumber": Field("telephone_number", str),
    "mobile": Field("mobile", str),
    "facsimileTelephoneNumber": Field("facsimile_telephone_number", str),
    "appRoles": Field("app_roles", list),
    "assigned": Field("assigned", bool),
    "softDeleted": Field("soft_deleted", bool),
}
GROUP = {
    "id": Field("id", str, required=True),
    "displayName": Field("display_name", str, required=True),
    "members": Field("members", list),
    "assigned": Field("assigned", bool),
}
NAMES = {str: "a text", bool: "true or false", list: "a list", dict: "an object"}


def typed(place: str, value: object, wanted: type[T]) -> T:
    """Return ``value`` if it has the type ``wanted``."""
    if not isinstance(value, wanted):
        raise DirectoryInvalid(f"{place} must be {NAMES[wanted]}.")
    return value


def refuse_unknown(place: str, raw: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse a key that the format does not have, so that a typing error is not lost in silence."""
    for key in raw.keys() - known:
        raise DirectoryInvalid(f"{place} has the unknown key {key!r}; known are {', '.join(known)}.")


def entries(place: str, raw: Mapping[str, Any], key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of the list ``raw[key]``, each with its place."""
    for number, entry in enumerate(typed(f"{place}{key}", raw.get(key, []), list)):
        where = f"{place}{key}[{number}]"
        yield where, typed(where, entry, dict)


def texts(place: str, raw: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return the texts of the list ``raw[key]``, each once."""
    found = typed(f"{place}.{key}", raw.get(key, []), list)
    return tuple(dict.fromkeys(typed(f"{place}.{key}[{n}]", text, str) for n, text in enumerate(found)))


def identifier(place: str, raw: Mapping[str, Any]) -> str:
    """Return the id of an object."""
    return required(place, raw, "id")


def required(place: str, raw: Mapping[str, Any], key: str) -> str:
    """Return the text ``raw[key]``, which must be there and say something."""
    if not typed(f"{place}.{key}", raw.get(key, ""), str):
        raise DirectoryInvalid(f"{place}.{key} is missing.")
    return str(raw[key])


def values(place: str, raw: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """Return what the object says, by attribute name; ``null`` empties a text that may be empty."""
    return {field.attribute: _value(place, raw, key, field) for key, field in fields.items() if key in raw}


def whole(place: str, raw: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """Return what a new object says, by attribute name; what must be there is there."""
    for key, field in fields.items():
        if field.required:
            required(place, raw, key)
    return values(place, raw, fields)


def _value(place: str, raw: Mapping[str, Any], key: str, field: Field) -> Any:
    if field.required:
        return required(place, raw, key)
    if field.type is list:
        return texts(place, raw, key)
    if field.type is str and raw[key] is None:
        return None
    return typed(f"{place}.{key}", raw[key], field.type)
