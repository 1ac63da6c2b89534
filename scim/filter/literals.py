"""What may stand to the right of an operator, by the type of the attribute (RFC 7644 §3.4.2.2, table 3)."""

import json
import math
import re

from scim.errors import InvalidFilter
from scim.filter.ast import Literal, Operator
from scim.filter.tokens import Kind, Token
from scim.schema.table import Field, Type
from scim.schema.values import INTEGER_RANGE, parse_time

ORDER = frozenset({Operator.GT, Operator.GE, Operator.LT, Operator.LE})
TEXT = frozenset({Operator.CO, Operator.SW, Operator.EW})
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BOOLEANS = {"true": True, "false": False}
_REFUSED = {
    Type.BOOLEAN: ORDER | TEXT,
    Type.BINARY: ORDER,
    Type.INTEGER: TEXT,
    Type.DECIMAL: TEXT,
}


def check_operator(field: Field, operator: Operator) -> None:
    """Raise ``InvalidFilter`` where the attribute's type knows no such comparison."""
    if operator in _REFUSED.get(field.leaf.type, ()):
        raise InvalidFilter(f"{field} is {field.leaf.type}: it cannot be compared with {operator}.")


def coerce(field: Field, operator: Operator, token: Token, *, lenient: bool) -> Literal:
    """Read ``token`` as a value of ``field``. ``lenient`` takes bare words for strings (D-23)."""
    match field.leaf.type:
        case Type.BOOLEAN:
            value: Literal | None = _BOOLEANS.get(token.text.lower())
        case Type.INTEGER | Type.DECIMAL:
            value = _number(token)
        case _:
            value = token.text if lenient or token.kind is Kind.STRING else None
    if value is None:
        raise InvalidFilter(_refusal(field, token))
    if field.leaf.type is Type.DATE_TIME and operator not in TEXT and parse_time(token.text) is None:
        raise InvalidFilter(f'{field} is compared with a dateTime such as "2024-05-17T10:00:00Z".')
    return value


def _number(token: Token) -> int | float | None:
    if token.kind is not Kind.WORD or not _NUMBER.fullmatch(token.text):
        return None
    if token.text.lstrip("-").isdigit():
        return _integer(token.text)
    number: float = json.loads(token.text)
    return number if math.isfinite(number) else None


def _integer(text: str) -> int | None:
    if len(text) > len(str(INTEGER_RANGE.start)) or int(text) not in INTEGER_RANGE:
        return None
    return int(text)


def _refusal(field: Field, token: Token) -> str:
    if field.leaf.is_text:
        return f"{field} is {field.leaf.type}: put the value {token} into double quotes."
    return f"{field} is {field.leaf.type}: it cannot be compared with {token}."
