"""What answers are compared with: expected values with matchers in them, and manners that every answer has."""

import re
from collections.abc import Callable
from typing import Any


def has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_null(item) for item in value.values())
    return any(has_null(item) for item in value) if isinstance(value, list) else value is None


def compare(expected: Any, actual: Any, at: str) -> None:
    """Insist that ``actual`` has at least what ``expected`` has; lists are compared item by item, and in length."""
    if isinstance(expected, dict) and len(expected) == 1 and (name := next(iter(expected))) in _MATCHERS:
        assert _MATCHERS[name](expected[name], actual), f"{at}: {actual!r} does not satisfy {expected}"
    elif isinstance(expected, dict):
        assert isinstance(actual, dict), f"{at}: {actual!r} is no object"
        for key, value in expected.items():
            assert key in actual, f"{at}/{key} is missing in {actual}"
            compare(value, actual[key], f"{at}/{key}")
    elif isinstance(expected, list):
        assert isinstance(actual, list), f"{at}: {actual!r} is no list"
        assert len(actual) == len(expected), f"{at}: {actual!r} instead of {expected!r}"
        for number, (one, other) in enumerate(zip(expected, actual, strict=True)):
            compare(one, other, f"{at}/{number}")
    else:
        assert type(actual) is type(expected), f"{at}: {actual!r} instead of {expected!r}"
        assert actual == expected, f"{at}: {actual!r} instead of {expected!r}"


def holds(expected: Any, actual: Any) -> bool:
    try:
        compare(expected, actual, "")
    except AssertionError:
        return False
    return True


def same_set(expected: list[Any], actual: Any) -> bool:
    rest = list(actual or [])
    for item in expected:
        found = next((other for other in rest if holds(item, other)), None)
        if found is None:
            return False
        rest.remove(found)
    return not rest


_MATCHERS: dict[str, Callable[[Any, Any], bool]] = {
    "$exactly": lambda expected, actual: bool(actual == expected),
    "$contains": lambda expected, actual: (
        expected in actual if isinstance(actual, str) else any(holds(expected, item) for item in actual or [])
    ),
    "$set": same_set,
    "$length": lambda expected, actual: len(actual) == expected,
    "$matches": lambda expected, actual: isinstance(actual, str) and re.search(expected, actual) is not None,
    "$atLeast": lambda expected, actual: isinstance(actual, int) and actual >= expected,
}


def look_up(body: Any, pointer: str) -> Any:
    """Return what stands at ``a/b/0`` in ``body``."""
    for part in pointer.split("/"):
        body = body[int(part)] if isinstance(body, list) else body[part]
    return body


def is_there(body: Any, pointer: str) -> bool:
    try:
        look_up(body, pointer)
    except (KeyError, IndexError, TypeError):
        return False
    return True
