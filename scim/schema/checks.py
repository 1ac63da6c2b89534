"""From what a client sent to what is kept: the table compiled into one function per attribute.

A check returns the canonical value, or None when the value means *unassigned* (null, ``""``, ``[]``, an object
with nothing in it: RFC 7643 §2.5, D-09), and raises ``InvalidValue`` naming the attribute otherwise.
Strings stay as they were sent; accepted besides the RFC's forms are booleans in quotes, a list of one for a
single value, an object for a list, and a bare string for a complex attribute's ``value``.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from scim.errors import InvalidValue
from scim.schema.table import Attribute, Field, Mutability, Type
from scim.schema.values import INTEGER_RANGE, parse_time, storable

MAX_ELEMENTS = 500
MAX_ID_LENGTH = 255
MAX_OPAQUE_LEVELS = 32

Check = Callable[[Any], Any]
Element = dict[str, Any]

_BASE64 = re.compile(r"[A-Za-z0-9+/_\-\s]*={0,2}\s*", re.ASCII)
_BOOLEANS = {"true": True, "false": False}


@cache
def check_for(field: Field) -> Check:
    """Return the check of a whole attribute, or of ``field.sub`` in one element."""
    check_one = element_check_for(field)
    return _several(check_one, field.leaf, str(field)) if field.leaf.multi_valued else check_one


@cache
def element_check_for(field: Field) -> Check:
    """Return the check of one value of the attribute, or of ``field.sub`` in it."""
    if field.leaf.type is Type.COMPLEX:
        return _complex(field)
    if field.leaf.is_id:
        return _single(_id, f"{field} must be the id of a resource.")
    if field.leaf.type is Type.STRING:
        return _string(str(field))
    convert, kind = _CONVERSIONS[field.leaf.type]
    return _single(convert, f"{field} must be {kind}.")


def index(fields: Iterable[Field]) -> dict[str, tuple[str, Check]]:
    """Index names and checks by every spelling that is looked up: canonical, lower-case, aliases."""
    table: dict[str, tuple[str, Check]] = {}
    for field in fields:
        row = (field.leaf.name, check_for(field))
        table |= dict.fromkeys((alias.lower() for alias in field.leaf.aliases), row)
        table |= {field.leaf.name: row, field.leaf.name.lower(): row}
    return table


def kept_of(table: Mapping[str, tuple[str, Check]], sent: Mapping[str, Any]) -> Element:
    """Return what is kept of an object that was sent: the known names, canonical, with assigned values."""
    kept = {}
    for key, value in sent.items():
        row = table.get(key) or table.get(key.lower())
        if row:
            name, check = row
            if (converted := check(value)) is not None:
                kept[name] = converted
    return kept


def unite(elements: list[Element]) -> list[Element]:
    """Merge elements of one type and value (RFC 7643 §2.4); of values that are compared whole, keep one each."""
    if len({(element.get("type"), element.get("value")) for element in elements}) == len(elements):
        return elements
    united: dict[object, Element] = {}
    for element in elements:
        key = (element.get("type"), element["value"]) if "value" in element else frozenset(element.items())
        united[key] = {**united[key], **element} if key in united else element
    return list(united.values())


def demote(elements: list[Element], favored: Element | None = None) -> list[Element]:
    """Leave at most one element primary: ``favored``, else the first (RFC 7643 §2.4)."""
    primaries = [element for element in elements if element.get("primary") is True]
    if not primaries[1:]:
        return elements
    leading = favored or primaries[0]
    return [
        {**element, "primary": False} if element.get("primary") is True and element is not leading else element
        for element in elements
    ]


def only_labels(element: Mapping[str, Any], attribute: Attribute) -> bool:
    """Whether nothing is left of an element but what told it apart (``type``, ``primary``)."""
    return element.keys() <= _labels(attribute)


def set_ids(field: Field, value: Any) -> list[str]:
    """Read the ids of an attribute that is kept as a set, each once; None and ``[]`` are no ids.

    Raises ``InvalidValue`` for an element without a well-formed id (D-08).
    """
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    return list(dict.fromkeys(_set_id(field, item) for item in items))


def opaque(value: Any, label: str, levels: int = MAX_OPAQUE_LEVELS) -> Any:
    """Copy JSON that the table does not know, without nulls; refuse what a database cannot keep."""
    if levels == 0:
        raise InvalidValue(f"{label} is nested deeper than {MAX_OPAQUE_LEVELS} levels.")
    if isinstance(value, dict):
        return {opaque(key, label): opaque(item, label, levels - 1) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [opaque(item, label, levels - 1) for item in value]
    if isinstance(value, str) and not storable(value):
        raise InvalidValue(f"{label} holds a character that cannot be stored.")
    if _is_out_of_reach(value):
        raise InvalidValue(f"{label} holds a number that is too large.")
    return value


def _is_out_of_reach(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, int) and value not in INTEGER_RANGE


def id_of(reference: Any) -> Any:
    """Return the id at the end of a resource's address, None where there is none."""
    return (reference.rstrip("/").rpartition("/")[2] or None) if isinstance(reference, str) else None


def _set_id(field: Field, item: Any) -> str:
    if isinstance(item, dict):
        parts = {key.lower(): value for key, value in item.items()}
        item = parts["value"] if parts.get("value") is not None else id_of(parts.get("$ref"))
    if found := _id(item):
        return str(found)
    raise InvalidValue(f'{field} takes the ids of resources, as in [{{"value": "…"}}]; {_shown(item)} is none.')


def _id(value: Any) -> Any:
    is_one = isinstance(value, str) and 0 < len(value) <= MAX_ID_LENGTH and value.isprintable() and " " not in value
    return value if is_one else None


def _shown(value: Any) -> str:
    return f"{str(value)[:60]!r}" if isinstance(value, str | int | float) else "what was sent"


@cache
def _labels(attribute: Attribute) -> frozenset[str]:
    return frozenset(sub.name for sub in attribute.sub_attributes if sub.label)


def alone(value: Any) -> Any:
    """Unpack the one value of a list (D-07); an empty list is unassigned."""
    if isinstance(value, list) and len(value) <= 1:
        return value[0] if value else None
    return value


def _string(label: str) -> Check:
    def check(value: Any) -> Any:
        if type(value) is str and value.isascii() and "\0" not in value:
            return value or None
        value = alone(value)
        if value is None:
            return None
        if type(value) is not str:
            raise InvalidValue(f"{label} must be a string.")
        if not storable(value):
            raise InvalidValue(f"{label} holds a character that cannot be stored.")
        return value or None

    return check


def _single(convert: Check, refusal: str) -> Check:
    """Wrap a conversion that answers None for what it refuses."""

    def check(value: Any) -> Any:
        converted = convert(value)
        if converted is not None:
            return converted
        value = alone(value)
        if value is None or value == "":
            return None
        converted = convert(value)
        if converted is None:
            raise InvalidValue(refusal)
        return converted

    return check


def _complex(field: Field) -> Check:
    """Compile the check of an object, which is run for every value of every request."""
    table = _sub_checks(field)
    takes_text = "value" in table
    following = [sub.name for sub in field.attribute.sub_attributes if sub.follows_id]

    def check(value: Any) -> Any:
        if type(value) is not dict:
            value = alone(value)
            if value is None or value == "":
                return None
            if takes_text and isinstance(value, str):
                value = {"value": value}
            if not isinstance(value, dict):
                raise InvalidValue(f"{field} must be an object.")
        kept = kept_of(table, value)
        return (_by_id(kept, following, table["value"][1]) if following else kept) or None

    return check


def _by_id(kept: Element, following: list[str], check_id: Check) -> Element:
    """Leave the id alone of what is said of another resource."""
    if "value" not in kept and (identifier := check_id(id_of(kept.get("$ref")))):
        kept["value"] = identifier
    return {name: value for name, value in kept.items() if name not in following}


def _sub_checks(field: Field) -> dict[str, tuple[str, Check]]:
    return index(
        Field(field.extension, field.attribute, sub)
        for sub in field.attribute.sub_attributes
        if sub.mutability is not Mutability.READ_ONLY
    )


def _several(check_one: Check, attribute: Attribute, label: str) -> Check:
    is_complex, labels = attribute.type is Type.COMPLEX, _labels(attribute)

    def check(value: Any) -> Any:
        if value is None or value == "":
            return None
        items = value if isinstance(value, list) else [value]
        if len(items) > MAX_ELEMENTS:
            raise InvalidValue(f"{label} takes at most {MAX_ELEMENTS} values.")
        kept = [item for item in map(check_one, items) if item is not None]
        if is_complex:
            kept = [element for element in kept if not element.keys() <= labels]
            kept = demote(unite(kept)) if len(kept) > 1 else kept
        return kept or None

    return check


def _boolean(value: Any) -> Any:
    return value if isinstance(value, bool) else _BOOLEANS.get(value.lower()) if isinstance(value, str) else None


def _integer(value: Any) -> Any:
    return value if type(value) is int and value in INTEGER_RANGE else None


def _decimal(value: Any) -> Any:
    return value if type(value) is float and math.isfinite(value) else _integer(value)


def _date_time(value: Any) -> Any:
    return value if isinstance(value, str) and parse_time(value) else None


def _binary(value: Any) -> Any:
    return value if isinstance(value, str) and _BASE64.fullmatch(value) else None


def _reference(value: Any) -> Any:
    return value if isinstance(value, str) and storable(value) else None


_CONVERSIONS: dict[Type, tuple[Check, str]] = {
    Type.BOOLEAN: (_boolean, "true or false"),
    Type.INTEGER: (_integer, "an integer of 64 bits"),
    Type.DECIMAL: (_decimal, "a number"),
    Type.DATE_TIME: (_date_time, "a dateTime such as 2024-05-17T10:00:00Z"),
    Type.BINARY: (_binary, "binary data in base64"),
    Type.REFERENCE: (_reference, "the address of a resource"),
}
