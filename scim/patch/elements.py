"""Operations on elements of multi-valued attributes, and on single complex ones that a condition selects."""

from typing import Any

from scim.errors import InvalidPath, InvalidValue, NoTarget
from scim.filter.ast import And, Compare, Node, Operator, Path
from scim.filter.match import elements as elements_of
from scim.filter.match import matches
from scim.patch.operations import Op, Operation
from scim.schema.checks import MAX_ELEMENTS, Element, check_for, demote, element_check_for, unite
from scim.schema.table import Field, Mutability


def add_elements(present: list[Any], added: list[Any], field: Field) -> list[Any]:
    """Append values; those that are there already change nothing (R-PAT-06), a new primary is the only one."""
    if field.attribute.sub_attributes:
        if any(element.get("primary") is True for element in added):
            present = [{**element, "primary": False} if element.get("primary") else element for element in present]
        united: list[Any] = unite(present + added)
    else:
        united = present + [value for value in added if value not in present]
    return _limited(united, field)


def remove_listed(present: list[Any], listed: list[Any]) -> list[Any]:
    """Take out exactly the values that a remove lists (D-03); an element is listed by any part of it."""
    return [value for value in present if not any(_is_listed(value, given) for given in listed)]


def change_elements(container: dict[str, Any], operation: Operation, path: Path) -> None:
    """Carry out an operation on the elements that ``path`` selects, in ``container``.

    Raises ``NoTarget`` where there is none and none can be made (D-01), ``InvalidPath`` where it is not clear
    which is meant, ``InvalidValue``.
    """
    field = path.field
    whole = Field(field.extension, field.attribute)
    present = elements_of(Field(None, field.attribute), container)
    primaries = [element for element in present if element.get("primary") is True]
    changed = unite(_part(present, operation, path) if field.sub else _elements(present, operation, path))
    fresh = [e for e in changed if e.get("primary") is True and not any(e is old for old in primaries)]
    risen = next(iter(fresh), None)
    _store(container, demote(_limited(changed, whole), risen), whole)


def _is_listed(value: Any, given: Any) -> bool:
    if isinstance(value, dict):
        return all(value.get(name) == part for name, part in given.items())
    return bool(value == given)


def _part(present: list[Element], operation: Operation, path: Path) -> list[Element]:
    """Set or unset a sub-attribute of the selected elements."""
    name = path.field.leaf.name
    value = None if operation.op is Op.REMOVE else check_for(path.field)(operation.value)
    if value is None:
        for element in _selected(present, path):
            element.pop(name, None)
        return present
    selected = _selected(present, path) if path.condition else _only_one(present, path)
    if not selected:
        selected = [_made(present, path)]
        present = present + selected
    for element in selected:
        element[name] = value
    return present


def _elements(present: list[Element], operation: Operation, path: Path) -> list[Element]:
    """Remove, replace or add to the selected elements as wholes."""
    chosen = {id(element) for element in _selected(present, path)}
    whole = element_check_for(path.field)
    value = None if operation.op is Op.REMOVE else whole(operation.value)
    if value is None:
        return [element for element in present if id(element) not in chosen]
    if not chosen:
        raise NoTarget(f"No element of {path.field} matches {path.condition}.")
    named = (_equalities(path.condition) or {}) if operation.op is Op.REPLACE else None
    return [
        element if id(element) not in chosen else {**(element if named is None else named), **value}
        for element in present
    ]


def _selected(present: list[Element], path: Path) -> list[Element]:
    return [element for element in present if path.condition is None or matches(path.condition, element)]


def _only_one(present: list[Element], path: Path) -> list[Element]:
    """Choose the element meant by ``emails.value`` (E-OPT-05): the only one, else the primary one."""
    if len(present) > 1:
        present = [element for element in present if element.get("primary") is True]
        if not present:
            raise InvalidPath(f'{path.field} has several elements. Say which, as in [type eq "work"].')
    return present


def _made(present: list[Element], path: Path) -> Element:
    """Make the element that a condition of equalities describes (D-01)."""
    made = _equalities(path.condition)
    if made is None or (present and not path.field.attribute.multi_valued):
        raise NoTarget(f"Nothing of {path.field} matches {path.condition}.")
    return made


def _equalities(condition: Node | None) -> Element | None:
    """Return the values in ``a eq "x" and b eq "y"``; None for a condition that says anything else."""
    terms = condition.terms if isinstance(condition, And) else (condition,) if condition else ()
    made: Element = {}
    for term in terms:
        if not isinstance(term, Compare) or term.operator is not Operator.EQ or not _can_hold(made, term):
            return None
        made[term.field.leaf.name] = term.value
    return made


def _can_hold(made: Element, term: Compare) -> bool:
    leaf = term.field.leaf
    return (
        term.value != "" and leaf.mutability is not Mutability.READ_ONLY and made.get(leaf.name) in (None, term.value)
    )


def _limited(values: list[Any], field: Field) -> list[Any]:
    if len(values) > MAX_ELEMENTS:
        raise InvalidValue(f"{field} takes at most {MAX_ELEMENTS} values.")
    return values


def _store(container: dict[str, Any], elements: list[Element], field: Field) -> None:
    if field.attribute.multi_valued:
        container[field.attribute.name] = elements
    elif elements:
        container[field.attribute.name] = elements[0]
    else:
        container.pop(field.attribute.name, None)
