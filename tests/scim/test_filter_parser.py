"""Filters and paths: text → tree."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim.errors import InvalidFilter, InvalidPath, ScimError, Sensitive
from scim.filter.ast import And, Compare, Literal, Node, Not, Operator, Or, Path, Present, ValuePath
from scim.filter.parser import MAX_LEVELS, MAX_NODES, parse_filter, parse_path
from scim.filter.tokens import MAX_BYTES
from scim.schema import ENTERPRISE_SCHEMA, GROUP, INFO_SCHEMA, USER, Attribute, Field, ResourceType, Schema, Type

ENT = ENTERPRISE_SCHEMA.urn
INFO = INFO_SCHEMA.urn
DEVICE = ResourceType(
    "Device",
    "/Devices",
    "",
    Schema(
        "urn:x:Device",
        "Device",
        "",
        (
            Attribute("rank", type=Type.INTEGER),
            Attribute("weight", type=Type.DECIMAL),
            Attribute("seen", type=Type.DATE_TIME),
            Attribute("key", type=Type.BINARY, case_exact=True),
        ),
    ),
)


def parse(text: str) -> Node:
    return parse_filter(text, USER)


def user(name: str) -> Field:
    field = USER.locate(name)
    assert field is not None
    return field


def eq(name: str, value: Literal) -> Compare:
    return Compare(user(name), Operator.EQ, value)


A, B, C = (eq("title", letter) for letter in "abc")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('userName eq "a@b"', eq("userName", "a@b"), id="E-QRY-01"),
        pytest.param('USERNAME EQ "a"', eq("userName", "a"), id="R-FIL-01 any letter case"),
        pytest.param('urn:ietf:params:scim:schemas:core:2.0:User:userName eq "a"', eq("userName", "a"), id="E-QRY-19"),
        pytest.param(f'{INFO}:info1 eq "x"', eq(f"{INFO}:info1", "x"), id="dotted URN"),
        pytest.param('title eq "a" or title eq "b" and title eq "c"', Or((A, And((B, C)))), id="R-FIL-02"),
        pytest.param('(title eq "a" or title eq "b") and title eq "c"', And((Or((A, B)), C)), id="R-FIL-02 ( )"),
        pytest.param('title eq "a" and title eq "b" or title eq "c"', Or((And((A, B)), C)), id="R-FIL-02 left"),
        pytest.param('not (title eq "a") and title eq "b"', And((Not(A), B)), id="R-FIL-02 not"),
        pytest.param('NOT(title eq "a")', Not(A), id="not without a space"),
        pytest.param('not (not (title eq "a"))', Not(Not(A)), id="not not"),
        pytest.param("title pr", Present(user("title")), id="pr"),
        pytest.param("title eq null", Not(Present(user("title"))), id="R-FIL-03 eq null"),
        pytest.param("title ne null", Present(user("title")), id="R-FIL-03 ne null"),
        pytest.param("active eq true", eq("active", True), id="boolean"),
        pytest.param('active eq "False"', eq("active", False), id="D-18 quoted boolean"),
        pytest.param(r'title eq "\"\\\/\u00e9\n"', eq("title", '"\\/é\n'), id="E-QRY-14 escapes"),
        pytest.param('title eq "D385N05’TEST"', eq("title", "D385N05’TEST"), id="V-S typographic quote"),
        pytest.param('title eq "a) or (b]"', eq("title", "a) or (b]"), id="marks inside a string"),
        pytest.param('emails co "x"', Compare(user("emails.value"), Operator.CO, "x"), id="R-FIL-08"),
        pytest.param("emails pr", Present(user("emails")), id="pr of the whole"),
        pytest.param('manager eq "m"', eq(f"{ENT}:manager.value", "m"), id="E-QRY-09 bare manager"),
        pytest.param(f'{ENT}:manager eq "m"', eq(f"{ENT}:manager.value", "m"), id="E-QRY-09 URN"),
        pytest.param(
            'meta.lastModified gt "2024-01-01T00:00:00Z"',
            Compare(user("meta.lastModified"), Operator.GT, "2024-01-01T00:00:00Z"),
            id="dateTime",
        ),
        pytest.param('  title   eq\t"a"  ', A, id="more space"),
        pytest.param('((((title eq "a"))))', A, id="parentheses leave no node"),
    ],
)
def test_a_filter_becomes_a_tree(text: str, expected: Node):
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("loose", "strict"),
    [
        pytest.param('emails[type eq "work"].value eq "a"', 'emails[type eq "work" and value eq "a"]', id="E-QRY-05"),
        pytest.param('emails[primary eq true].Value sw "a"', 'emails[primary eq true and value sw "a"]', id="E-QRY-06"),
        pytest.param('emails[type eq "work"] eq "a"', 'emails[type eq "work" and value eq "a"]', id="E-QRY-07"),
        pytest.param('emails[type eq "work"].value pr', 'emails[type eq "work" and value pr]', id="pr"),
        pytest.param(
            'emails[type eq "a" or primary eq true].value eq "x"',
            'emails[(type eq "a" or primary eq true) and value eq "x"]',
            id="or inside",
        ),
        pytest.param(
            'emails[type eq "a" and primary eq true].value eq "x"',
            'emails[type eq "a" and primary eq true and value eq "x"]',
            id="and inside",
        ),
        pytest.param('roles[primary eq "True"].display eq "x"', 'roles[primary eq true and display eq "x"]', id="D-18"),
    ],
)
def test_a_comparison_behind_brackets_moves_into_them(loose: str, strict: str):
    assert parse(loose) == parse(strict)


def test_members_are_compared_by_their_value():  # E-QRY-08
    node = parse_filter('id eq "g" and members eq "u"', GROUP)

    assert str(node) == 'id eq "g" and members.value eq "u"'


def test_a_value_path_has_the_fields_of_its_elements():  # R-FIL-09
    node = parse('emails[not (type eq "work") and (value co "x" or display pr)]')

    assert isinstance(node, ValuePath)
    assert str(node) == 'emails[not (type eq "work") and (value co "x" or display pr)]'
    assert isinstance(node.condition, And)
    assert isinstance(node.condition.terms[0], Not)
    emails = user("emails").attribute
    assert node.condition.terms[0].term == Compare(Field(None, emails.sub_attributes[2]), Operator.EQ, "work")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rank eq 42", 42),
        ("rank ge -7", -7),
        ("rank lt 9223372036854775807", 2**63 - 1),
        ("weight eq 1.5", 1.5),
        ("weight eq -2E3", -2000.0),
        ("weight gt 3", 3),
    ],
)
def test_a_number_is_read(text: str, expected: float):
    node = parse_filter(text, DEVICE)

    assert isinstance(node, Compare)
    assert node.value == expected


@pytest.mark.parametrize(
    ("name", "value", "comparand"),
    [
        ("userName", "ÄB@c", "äb@c"),
        ("userName", "STRASSE ß", "strasse ss"),
        ("externalId", "AbC", "AbC"),
        ("meta.created", "2024-05-17T12:00:00.5+02:00", "2024-05-17T10:00:00.500000Z"),
        ("meta.created", "2024-05-17T10:00:00", "2024-05-17T10:00:00.000000Z"),
        ("active", True, True),
    ],
)
def test_the_comparand_has_no_letter_case_and_no_time_zone(name: str, value: Literal, comparand: Literal):
    assert eq(name, value).comparand == comparand


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="R-FIL-10 nothing"),
        pytest.param("   ", id="spaces"),
        pytest.param("userName", id="no operator"),
        pytest.param("userName eq", id="no value"),
        pytest.param('userName like "a"', id="unknown operator"),
        pytest.param('userName "eq" "a"', id="quoted operator"),
        pytest.param('"userName" eq "a"', id="quoted attribute"),
        pytest.param('userName eq "a', id="open string"),
        pytest.param(r'userName eq "\q"', id="wrong escape"),
        pytest.param(r'userName eq "\ud800"', id="half a surrogate pair"),
        pytest.param(r'userName eq "\u0000"', id="NUL"),
        pytest.param('userName eq "\ud800"', id="half a surrogate pair, raw"),
        pytest.param('userName eq "a" "b"', id="two values"),
        pytest.param('userName eq "a" and', id="nothing after and"),
        pytest.param('and userName eq "a"', id="nothing before and"),
        pytest.param('(userName eq "a"', id="open parenthesis"),
        pytest.param('userName eq "a")', id="closing parenthesis"),
        pytest.param('not userName eq "a"', id="not without parentheses"),
        pytest.param('emails[type eq "a"', id="open bracket"),
        pytest.param('emails[type eq "a")', id="wrong bracket"),
        pytest.param("emails[]", id="empty brackets"),
        pytest.param('emails[type eq "a"].value', id="no comparison behind brackets"),
        pytest.param('emails[type eq "a"].size eq "x"', id="unknown sub behind brackets"),
        pytest.param('emails[size eq "a"]', id="unknown sub inside brackets"),
        pytest.param('emails[emails[type eq "a"]]', id="brackets in brackets"),
        pytest.param('title[value eq "a"]', id="brackets after a simple attribute"),
        pytest.param('emails.value[type eq "a"]', id="brackets after a sub-attribute"),
        pytest.param("externalId eq jyoung", id="D-23 bare word"),
        pytest.param("userName eq 7", id="number for a string"),
        pytest.param("userName eq true", id="boolean for a string"),
        pytest.param('active eq "maybe"', id="no boolean"),
        pytest.param("active eq 1", id="number for a boolean"),
        pytest.param("active gt true", id="R-FIL-04 boolean"),
        pytest.param('active co "t"', id="substring of a boolean"),
        pytest.param('x509Certificates.value lt "QQ=="', id="R-FIL-04 binary"),
        pytest.param("title gt null", id="null has no order"),
        pytest.param('name eq "a"', id="complex without value"),
        pytest.param('meta.created eq "yesterday"', id="no dateTime"),
        pytest.param('meta.created eq "2024-05-17"', id="R-MOD-08 no time"),
        pytest.param('meta.created eq "0001-01-01T00:00:00+14:00"', id="before the calendar"),
    ],
)
def test_what_is_no_filter_is_refused(text: str):
    with pytest.raises(InvalidFilter):
        parse(text)


@pytest.mark.parametrize(
    "text", ["rank eq 9223372036854775808", 'rank eq "1"', "rank eq 01", "rank eq " + "9" * 5000, "weight eq 1e999"]
)
def test_a_number_out_of_reach_is_refused(text: str):
    with pytest.raises(InvalidFilter):
        parse_filter(text, DEVICE)


@pytest.mark.parametrize("name", ["shoeSize", "name.shoeSize", "urn:example:x:User:shoeSize"], ids="D-24 {}".format)
def test_an_unknown_attribute_is_named(name: str):
    with pytest.raises(InvalidFilter, match="shoeSize"):
        parse(f'{name} eq "a"')


@pytest.mark.parametrize("text", ['password eq "x"', "password pr", 'userName eq "a" or password sw "x"'])
def test_a_password_cannot_be_filtered_by(text: str):  # R-FIL-13
    with pytest.raises(Sensitive, match="password"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("externalId eq jyoung", "jyoung"),
        ("userName sw O", "O"),
        ("name.FamilyName eq Employee", "Employee"),
        ("externalId eq 846", "846"),
        ("(userName eq a@b.c)", "a@b.c"),
    ],
)
def test_a_lenient_configuration_takes_bare_words(text: str, value: str):  # E-QRY-04, D-23
    node = parse_filter(text, USER, lenient=True)

    assert isinstance(node, Compare)
    assert node.value == value


def terms(count: int) -> str:
    return " or ".join(["title pr"] * count)


def test_200_nodes_are_read_and_201_are_not():
    parse(terms(MAX_NODES - 2))
    parse(terms(MAX_NODES - 1))
    with pytest.raises(InvalidFilter, match="200 nodes"):
        parse(terms(MAX_NODES))


@pytest.mark.parametrize("opening", ["(", "not ("])
def test_32_levels_are_read_and_33_are_not(opening: str):
    def nested(levels: int) -> str:
        return opening * levels + "title pr" + ")" * levels

    parse(nested(MAX_LEVELS - 1))
    parse(nested(MAX_LEVELS))
    with pytest.raises(InvalidFilter, match="32 levels"):
        parse(nested(MAX_LEVELS + 1))


@pytest.mark.parametrize("letter", ["a", "é"])
def test_8_kib_are_read_and_one_byte_more_is_not(letter: str):
    def sized(size: int) -> str:
        room = size - len('title eq ""')
        width = len(letter.encode())
        return f'title eq "{letter * (room // width)}{"b" * (room % width)}"'

    parse(sized(MAX_BYTES - 1))
    parse(sized(MAX_BYTES))
    with pytest.raises(InvalidFilter, match="8192 bytes"):
        parse(sized(MAX_BYTES + 1))


@pytest.mark.parametrize(
    "text", ["(" * 8000, '"' * 8001, "not(" * 2000, "[" * 8000, "a" * 8192, '"' + "\\" * 8190, " " * 8192, "- " * 4000]
)
def test_hostile_text_is_refused(text: str):
    with pytest.raises(InvalidFilter):
        parse(text)


@pytest.mark.parametrize(
    ("text", "field", "condition"),
    [
        pytest.param("active", "active", None, id="E-PAT-01"),
        pytest.param("name.familyName", "name.familyName", None, id="E-PAT-07 sub"),
        pytest.param('emails[type eq "work"].value', "emails.value", 'type eq "work"', id="E-PAT-07"),
        pytest.param('addresses[type eq "other"].Formatted', "addresses.formatted", 'type eq "other"', id="E-PAT-13"),
        pytest.param('roles[primary eq "True"].value', "roles.value", "primary eq true", id="E-PAT-14"),
        pytest.param("manager", f"{ENT}:manager", None, id="E-PAT-17"),
        pytest.param(f"{ENT}:manager.value", f"{ENT}:manager.value", None, id="E-PAT-19"),
        pytest.param(f"{INFO}:info1", f"{INFO}:info1", None, id="E-PAT-27"),
        pytest.param('manager[value eq "m"]', f"{ENT}:manager", 'value eq "m"', id="E-OPT-10"),
        pytest.param(f'{ENT}:manager[value eq "m"]', f"{ENT}:manager", 'value eq "m"', id="E-OPT-10 URN"),
        pytest.param('emails[type eq "]"]', "emails", 'type eq "]"', id="a bracket in a string"),
    ],
)
def test_a_path_is_read(text: str, field: str, condition: str | None):
    path = parse_path(text, USER)

    assert isinstance(path, Path)
    assert str(path.field) == field
    assert (str(path.condition) if path.condition else None) == condition


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("emails[type eq", InvalidPath, id="R-PAT-18 open bracket"),
        pytest.param('emails[type eq "work', InvalidPath, id="R-PAT-18 open string"),
        pytest.param('emails[type like "x"]', InvalidFilter, id="R-PAT-18 wrong filter"),
        pytest.param("shoeSize", InvalidPath, id="R-PAT-19"),
        pytest.param("emails.size", InvalidPath, id="R-PAT-19 sub"),
        pytest.param('emails[type eq "work"].size', InvalidPath, id="R-PAT-19 sub behind brackets"),
        pytest.param('emails[type eq "work"] value', InvalidPath, id="more behind the end"),
        pytest.param("emails eq", InvalidPath, id="a filter is no path"),
        pytest.param("", InvalidPath, id="nothing"),
        pytest.param("[]", InvalidPath, id="only brackets"),
        pytest.param("emails[0]", InvalidFilter, id="Q-30 index"),
        pytest.param("title" * 2000, InvalidPath, id="too long"),
    ],
)
def test_what_is_no_path_is_refused(text: str, error: type[ScimError]):
    with pytest.raises(error):
        parse_path(text, USER)


NAMES = [
    "userName",
    "NAME.familyName",
    "emails",
    "emails.type",
    "active",
    "meta.created",
    "externalId",
    f"{ENT}:manager",
]
WORDS = st.sampled_from(
    [*NAMES, "eq", "ne", "pr", "gt", "and", "or", "not", "(", ")", "[", "]", ".value", "true", "null", '"a"', "1", '"']
)


@settings(max_examples=80, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=25).map(" ".join)))
def test_any_text_is_a_tree_or_an_error(text: str):
    for read in (parse_filter, parse_path):
        with contextlib.suppress(ScimError):
            assert read(text, USER)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
TEXT_FIELDS = st.sampled_from(
    [user(name) for name in ("userName", "externalId", "name.givenName", f"{ENT}:department")]
)
LEAVES = st.one_of(
    st.builds(Compare, TEXT_FIELDS, st.sampled_from(Operator), TEXTS),
    st.builds(Compare, st.just(user("active")), st.sampled_from([Operator.EQ, Operator.NE]), st.booleans()),
    st.builds(Present, st.sampled_from([user("emails"), user("title"), user("manager.value")])),
    st.builds(
        ValuePath,
        st.just(user("emails")),
        st.builds(Compare, st.just(Field(None, user("emails.type").leaf)), st.sampled_from(Operator), TEXTS),
    ),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, min_size=2, max_size=4).map(lambda terms: And(tuple(terms))),
        st.lists(inner, min_size=2, max_size=4).map(lambda terms: Or(tuple(terms))),
    ),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None)
@given(TREES)
def test_a_tree_that_is_written_and_read_is_the_same(tree: Node):
    assert parse(str(tree)) == tree
