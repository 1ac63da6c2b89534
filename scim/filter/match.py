"""What a filter means, in plain Python; the SQL answers the same on every document.

Documents are normalized (``scim.documents``): canonical names, values of the right type, and nothing that is
unassigned (null, ``""``, ``[]``, ``{}``). A *value* of a field is what stands there, or each of several.

=====================  ==========================================================================================
``pr``                 the field has a value; for a complex attribute, any sub-attribute of it
``eq``                 some value equals the comparand
``ne``                 no value equals the comparand: the opposite of ``eq``, so true where there is no value
``co`` ``sw`` ``ew``   some value contains, starts with, ends with the comparand; true for ``""`` if any value
``gt ge lt le``        some value is greater … than the comparand, by code point of the text, or as a number
``a[…]``               one element satisfies the whole condition; within it there are only its sub-attributes
``not``                the opposite, so true where there is no value
=====================  ==========================================================================================

Strings that are not caseExact are compared after ``str.casefold``, dateTimes as UTC. Everything is two-valued:
there is no third answer for what is absent.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from operator import eq, ge, gt, le, lt
from typing import Any

from scim.filter.ast import And, Compare, Node, Not, Operator, Or, Present, ValuePath
from scim.schema.table import Attribute, Field, ResourceType
from scim.schema.values import folder

Scope = Mapping[str, Any]
Folder = Callable[[Any], Any]

_COMPARISONS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: eq,
    Operator.NE: eq,  # turned round after all values were looked at
    Operator.CO: lambda value, comparand: comparand in value,
    Operator.SW: lambda value, comparand: bool(value.startswith(comparand)),
    Operator.EW: lambda value, comparand: bool(value.endswith(comparand)),
    Operator.GT: gt,
    Operator.GE: ge,
    Operator.LT: lt,
    Operator.LE: le,
}


def matches(node: Node, scope: Scope) -> bool:
    """Whether ``node`` holds for ``scope``: a document, folded or not, or an element of an attribute."""
    match node:
        case Compare():
            return _compares(node, scope)
        case And(terms):
            return all(matches(term, scope) for term in terms)
        case Or(terms):
            return any(matches(term, scope) for term in terms)
        case Not(term):
            return not matches(term, scope)
        case ValuePath(field, condition):
            return any(matches(condition, element) for element in elements(field, scope))
        case Present(field):
            return any(True for _ in values(field, scope))


def values(field: Field, scope: Scope) -> Iterable[Any]:
    """Yield what stands at ``field`` in ``scope``."""
    found = _several(_container(field, scope).get(field.attribute.name))
    if field.sub is None:
        return found
    name = field.sub.name
    return (element[name] for element in found if element.get(name) is not None)


def elements(field: Field, scope: Scope) -> list[Any]:
    """Return the elements of a complex attribute; one that is single-valued counts as a list of one."""
    return _several(_container(field, scope).get(field.attribute.name))


def fold_document(resource_type: ResourceType, document: Scope) -> dict[str, Any]:
    """Return a copy of ``document`` in which every value has the form that is compared.

    Strings that are not caseExact are casefolded, dateTimes are UTC with six decimals; extensions that the
    table does not know are copied as they are.
    """
    folders = _folders(resource_type)
    return {name: folders[name](value) if name in folders else value for name, value in document.items()}


def _container(field: Field, scope: Scope) -> Scope:
    if field.extension is None:
        return scope
    extension: Scope = scope.get(field.extension) or {}
    return extension


def _several(found: Any) -> list[Any]:
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _compares(node: Compare, scope: Scope) -> bool:
    differs = node.operator is Operator.NE
    compare, comparand, fold = _COMPARISONS[node.operator], node.comparand, folder(node.field.leaf)
    return any(compare(fold(value), comparand) for value in values(node.field, scope)) is not differs


@cache
def _folders(resource_type: ResourceType) -> dict[str, Folder]:
    folders = {attribute.name: _folder(attribute) for attribute in resource_type.attributes}
    return folders | {
        schema.urn: _object_folder({attribute.name: _folder(attribute) for attribute in schema.attributes})
        for schema in resource_type.extensions
    }


def _folder(attribute: Attribute) -> Folder:
    if attribute.sub_attributes:
        one = _object_folder({sub.name: folder(sub) for sub in attribute.sub_attributes})
    else:
        one = folder(attribute)
    return (lambda several: [one(value) for value in several]) if attribute.multi_valued else one


def _object_folder(folders: dict[str, Folder]) -> Folder:
    return lambda scope: {name: folders[name](value) for name, value in scope.items()}
