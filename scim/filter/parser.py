"""Filters and PATCH paths (RFC 7644 §3.4.2.2, §3.5.2): text → tree with resolved attributes.

Beyond the RFC, as Entra and others send them: ``emails[type eq "work"].value eq "x"`` for
``emails[type eq "work" and value eq "x"]``, ``members eq "id"`` for ``members.value eq "id"``, bare names of
extension attributes (``manager eq "id"``), quoted booleans.
"""

from collections.abc import Callable, Sequence

from scim.errors import InvalidFilter, InvalidPath, Sensitive
from scim.filter.ast import And, Compare, Node, Not, Operator, Or, Path, Present, ValuePath
from scim.filter.literals import check_operator, coerce
from scim.filter.tokens import Kind, Token, tokenize
from scim.schema.table import Attribute, Field, ResourceType, Returned, Type

MAX_NODES = 200
MAX_LEVELS = 32

_COMPARISONS = frozenset({"pr", *Operator})

Resolve = Callable[[str], Field | None]


def parse_filter(text: str, *resource_types: ResourceType, lenient: bool = False) -> Node:
    """Return the tree of ``text``, a filter on resources of the first of ``resource_types``.

    Attributes that only the others have are without a value there (RFC 7644 §3.4.2.1). Raises ``InvalidFilter`` for
    anything that is no filter and beyond 8 KiB, 200 nodes or 32 levels; ``Sensitive`` for an attribute that is never
    returned (RFC 7643 §7). ``lenient`` takes bare words for strings (D-23).
    """
    names = " or ".join(resource_type.name for resource_type in resource_types)
    parser = _Parser(tokenize(text), lambda name: locate(name, resource_types), names, lenient=lenient)
    node = parser.filter()
    parser.expect_end()
    return node


def locate(name: str, resource_types: Sequence[ResourceType]) -> Field | None:
    """Find an attribute by its notation of RFC 7644 §3.10 in the first resource type that has it."""
    return next((field for resource_type in resource_types if (field := resource_type.locate(name))), None)


def value_of(field: Field) -> Field | None:
    """Stand in ``value`` for a complex attribute (RFC 7644 §3.4.2.2); None for one that has none."""
    if field.leaf.type is not Type.COMPLEX:
        return field
    value = field.attribute.sub("value")
    return Field(field.extension, field.attribute, value) if value else None


def parse_path(text: str, resource_type: ResourceType) -> Path:
    """Return what a PATCH path addresses.

    Raises ``InvalidPath`` for a path that is none or names an unknown attribute, ``InvalidFilter`` for a
    wrong condition between its brackets.
    """
    if "[" not in text:
        return Path(_located(text.strip(), resource_type))
    tokens = _path_tokens(text)
    field = _located(tokens[0].text, resource_type)
    if not tokens[1].is_mark("[") or not any(token.is_mark("]") for token in tokens):
        raise InvalidPath(f"The path {text[:200]!r} cannot be understood.")
    parser = _Parser(tokens[1:], resource_type.locate, resource_type.name, lenient=False)
    condition = parser.condition(field)
    sub = parser.take_sub(field)
    if parser.current.kind is not Kind.END:
        raise InvalidPath(f"The path {text[:200]!r} has something behind its end: {parser.current}.")
    return Path(sub or field, condition)


def _path_tokens(text: str) -> list[Token]:
    try:
        tokens = tokenize(text)
    except InvalidFilter:
        raise InvalidPath(f"The path {text[:200]!r} cannot be understood.") from None
    if tokens[0].kind is not Kind.WORD:
        raise InvalidPath(f"The path {text[:200]!r} names no attribute.")
    return tokens


def _located(name: str, resource_type: ResourceType) -> Field:
    if field := resource_type.locate(name):
        return field
    raise InvalidPath(f"{resource_type.name} has no attribute {name[:200]!r}.")


class _Parser:
    """A cursor over tokens, and the budget of nodes and levels."""

    def __init__(self, tokens: list[Token], resolve: Resolve, owner: str, *, lenient: bool) -> None:
        self.tokens, self.resolve, self.owner, self.lenient = tokens, resolve, owner, lenient
        self.position = self.nodes = self.level = 0

    @property
    def current(self) -> Token:
        return self.tokens[self.position]

    def advance(self) -> Token:
        token = self.current
        if token.kind is not Kind.END:
            self.position += 1
        return token

    def take(self, word: str) -> bool:
        """Step over ``word``, a keyword in any letter case or a mark, if it comes next."""
        found = self.current.kind in {Kind.WORD, Kind.MARK} and self.current.text.lower() == word
        self.position += found
        return found

    def expect(self, mark: str) -> None:
        if not self.take(mark):
            raise InvalidFilter(f"The filter lacks {mark!r} before {self.current}.")

    def expect_end(self) -> None:
        if self.current.kind is not Kind.END:
            raise InvalidFilter(f"The filter should end before {self.current}, character {self.current.at + 1}.")

    def count(self, node: Node) -> Node:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise InvalidFilter(f"The filter has more than {MAX_NODES} nodes.")
        return node

    def filter(self) -> Node:
        terms = [self.conjunction()]
        while self.take("or"):
            terms.append(self.conjunction())
        return self.count(Or(tuple(terms))) if len(terms) > 1 else terms[0]

    def conjunction(self) -> Node:
        terms = [self.term()]
        while self.take("and"):
            terms.append(self.term())
        return self.count(And(tuple(terms))) if len(terms) > 1 else terms[0]

    def term(self) -> Node:
        if self.take("not"):
            self.expect("(")
            return self.count(Not(self.nested(")")))
        return self.nested(")") if self.take("(") else self.expression()

    def nested(self, closing: str) -> Node:
        self.level += 1
        if self.level > MAX_LEVELS:
            raise InvalidFilter(f"The filter is nested deeper than {MAX_LEVELS} levels.")
        node = self.filter()
        self.expect(closing)
        self.level -= 1
        return node

    def expression(self) -> Node:
        field = self.field()
        if self.current.is_mark("["):
            return self.value_path(field)
        return self.comparison(field)

    def field(self) -> Field:
        token = self.advance()
        if token.kind is not Kind.WORD:
            raise InvalidFilter(f"The filter should name an attribute instead of {token}.")
        field = self.resolve(token.text)
        if field is None:
            raise InvalidFilter(f"{self.owner} has no attribute {token.text!r} to filter by.")
        if field.attribute.returned is Returned.NEVER:
            raise Sensitive(f"{field} cannot be filtered by.")
        return field

    def comparison(self, field: Field) -> Node:
        word = self.advance()
        if word.text.lower() == "pr" and word.kind is Kind.WORD:
            return self.count(Present(field))
        operator = _operator(word, field)
        token = self.advance()
        if token.kind not in {Kind.STRING, Kind.WORD}:
            raise InvalidFilter(f"The filter lacks a value after {field} {operator}.")
        if token.kind is Kind.WORD and token.text.lower() == "null":
            return self.against_null(field, operator)
        field = _comparable(field)
        check_operator(field, operator)
        value = coerce(field, operator, token, lenient=self.lenient)
        return self.count(Compare(field, operator, value))

    def against_null(self, field: Field, operator: Operator) -> Node:
        present = self.count(Present(field))
        if operator is Operator.NE:
            return present
        if operator is Operator.EQ:
            return self.count(Not(present))
        raise InvalidFilter(f"{field} can be compared with null by eq and ne only.")

    def value_path(self, field: Field) -> Node:
        condition = self.condition(field)
        element = self.take_sub(field)
        if self.current.kind is Kind.WORD and _is_comparison(self.current.text):
            last = self.comparison(_inside(element) if element else _inside(_comparable(field)))
            terms = condition.terms if isinstance(condition, And) else (condition,)
            condition = self.count(And((*terms, last)))
        elif element:
            raise InvalidFilter(f"The filter lacks a comparison after {element}.")
        return self.count(ValuePath(field, condition))

    def condition(self, field: Field) -> Node:
        """Read ``[…]``, in which names are those of the attribute's sub-attributes."""
        if field.sub or not field.attribute.sub_attributes:
            raise InvalidFilter(f"{field} has no sub-attributes to be selected by.")
        outer = self.resolve, self.owner
        self.resolve, self.owner = _sub_resolver(field.attribute), str(field)
        self.expect("[")
        node = self.nested("]")
        self.resolve, self.owner = outer
        return node

    def take_sub(self, field: Field) -> Field | None:
        """Read ``.sub`` behind a closing bracket."""
        token = self.current
        if token.kind is not Kind.WORD or not token.text.startswith("."):
            return None
        sub = field.attribute.sub(token.text[1:])
        self.position += sub is not None
        return Field(field.extension, field.attribute, sub) if sub else None


def _operator(token: Token, field: Field) -> Operator:
    try:
        return Operator(token.text.lower() if token.kind is Kind.WORD else "")
    except ValueError:
        raise InvalidFilter(f"The filter should have an operator after {field} instead of {token}.") from None


def _is_comparison(word: str) -> bool:
    return word.lower() in _COMPARISONS


def _comparable(field: Field) -> Field:
    if value := value_of(field):
        return value
    raise InvalidFilter(f"{field} is complex: compare one of its sub-attributes.")


def _inside(field: Field) -> Field:
    return Field(None, field.leaf)


def _sub_resolver(attribute: Attribute) -> Resolve:
    def resolve(name: str) -> Field | None:
        sub = attribute.sub(name)
        return Field(None, sub) if sub else None

    return resolve
