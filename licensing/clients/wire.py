"""The JSON form of the contract's dataclasses, the same for client and server."""

import types
import typing
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, cast

from provisioning.license_types import LicenseType

T = TypeVar("T")
Reader = Callable[[object, str], Any]

# JSON numbers are exact only up to here.
LARGEST_NUMBER = 2**53
PLAIN = frozenset({str, int, bool, float, type(None)})


class MalformedDocument(ValueError):
    """A JSON document does not have the form that the contract gives it."""


def dump(value: object) -> Any:
    """Return ``value`` as what a JSON encoder takes: license types become their words."""
    kind: Any = type(value)
    return value if kind in PLAIN else _writer(kind)(value)


def load(kind: type[T], value: object, *, where: str = "document") -> T:
    """Return ``value`` as a ``kind``; keys that the contract does not know are passed over.

    ``kind`` is a dataclass of the contract, or a ``list`` or ``tuple`` of them. Raises ``MalformedDocument``.
    """
    return cast("T", _reader(cast("Any", kind))(value, where))


@cache
def _writer(kind: type[Any]) -> Callable[[Any], Any]:
    if kind is LicenseType:
        return attrgetter("slug")
    if issubclass(kind, list | tuple):
        return lambda value: [dump(item) for item in value]
    return _dataclass_writer(kind) if is_dataclass(kind) else lambda value: value


def _dataclass_writer(kind: type[Any]) -> Callable[[Any], dict[str, Any]]:
    names = _names(cast("Any", kind))

    def write(value: Any) -> dict[str, Any]:
        return {key: field if type(field := getattr(value, name)) in PLAIN else dump(field) for name, key in names}

    return write


@cache
def _names(kind: Any) -> tuple[tuple[str, str], ...]:
    """Return the fields' names in Python and in JSON."""
    return tuple((field.name, field.metadata.get("json", field.name)) for field in fields(kind))


@cache
def _reader(kind: Any) -> Reader:
    if is_dataclass(kind):
        return _dataclass_reader(cast("type[Any]", kind))
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (list, tuple):
        return _sequence_reader(origin, _reader(arguments[0]))
    if origin in (typing.Union, types.UnionType):
        return _optional_reader(_reader(next(a for a in arguments if a is not type(None))))
    if origin is not None:
        return _dataclass_reader(origin, item=arguments[0])
    return _scalar_reader(kind)


def _scalar_reader(kind: Any) -> Reader:
    if kind is LicenseType:
        return _choice_reader({member.slug: member for member in LicenseType})
    if issubclass(kind, Enum):
        return _choice_reader({member.value: member for member in kind})
    return {str: _text, int: _whole_number, bool: _truth, dict: _mapping}[kind]


def _dataclass_reader(kind: type[Any], item: Any = None) -> Reader:
    hints = typing.get_type_hints(kind)
    required = {field.name for field in fields(kind) if field.default is MISSING}
    plan = [
        (name, key, _reader(_filled(hints[name], item)), name in required) for name, key in _names(cast("Any", kind))
    ]

    def read(value: object, where: str) -> Any:
        document = _mapping(value, where)
        given: dict[str, Any] = {}
        for name, key, reader, needed in plan:
            if key in document:
                given[name] = reader(document[key], f"{where}.{key}")
            elif needed:
                raise MalformedDocument(f"{where}.{key} is missing.")
        return kind(**given)

    return read


def _filled(hint: Any, item: Any) -> Any:
    """Put ``item`` in the place of the type variable of a generic dataclass's field."""
    return tuple[item, ...] if item is not None and typing.get_origin(hint) is tuple else hint


def _sequence_reader(kind: type[Any], item: Reader) -> Reader:
    def read(value: object, where: str) -> Any:
        if not isinstance(value, list):
            raise MalformedDocument(f"{where} must be an array.")
        return kind(item(each, f"{where}[{index}]") for index, each in enumerate(value))

    return read


def _optional_reader(present: Reader) -> Reader:
    return lambda value, where: None if value is None else present(value, where)


def _choice_reader(choices: dict[Any, Any]) -> Reader:
    def read(value: object, where: str) -> Any:
        if not isinstance(value, str) or value not in choices:
            raise MalformedDocument(f"{where} must be one of {', '.join(choices)}.")
        return choices[value]

    return read


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise MalformedDocument(f"{where} must be a string.")
    return value


def _whole_number(value: object, where: str) -> int:
    # JSON has one kind of number: 3078.0 is whole, too.
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if not isinstance(number, int) or isinstance(number, bool) or abs(number) > LARGEST_NUMBER:
        raise MalformedDocument(f"{where} must be a whole number.")
    return number


def _truth(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise MalformedDocument(f"{where} must be true or false.")
    return value


def _mapping(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedDocument(f"{where} must be an object.")
    return value
