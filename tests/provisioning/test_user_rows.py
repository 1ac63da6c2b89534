"""The CSV file of users: reading it whole, and what it asks for (1-product §1.7)."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.exports import csv_lines
from provisioning.user_rows import (
    LICENSE_TYPES,
    MOST_BYTES,
    ROLES,
    TITLES,
    Asked,
    Cells,
    Fault,
    Known,
    asked,
    read,
)

ANN = Cells("Internal user", "ann", "Ann Ek", "ann@x.example", "Named", "No Role", "Enabled", "1001", "", "Contracts")
ROOT = ANN._replace(username="root", role="Subscription Admin", state="Enabled", vaults="")
TITLE_LINE = ",".join(TITLES)


def file_of(*rows, delimiter=",", end="\r\n"):
    text = "".join(csv_lines(TITLES, rows))
    return text.replace(",", delimiter).replace("\r\n", end).encode()


def faults_of(*rows, known=(), admins=(), may_touch=lambda *_: True):
    """The faults of a file with these rows, without their lines."""
    return [
        (fault.column, fault.reason) for fault in outcome(*rows, known=known, admins=admins, may_touch=may_touch)[1]
    ]


def outcome(*rows, known=(), admins=(), may_touch=lambda *_: True):
    found, faults = read(file_of(*rows))
    assert faults == []
    by_key = {one.cells.username.casefold(): one for one in known}
    return asked(found, by_key, admins=frozenset(admins), may_touch=may_touch)


def manual(cells=ANN, pk=1, **more):
    return Known(pk=pk, cells=cells, **more)


def provisioned(cells=ANN, pk=1, **more):
    return Known(pk=pk, cells=cells, source="Entra", is_held=True, **more)


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_files_of_spreadsheets_are_read(delimiter, mark, end):
    rows, faults = read(mark + file_of(ANN._replace(full_name="Ann Ångström"), delimiter=delimiter, end=end))

    assert faults == []
    assert [(row.line, row.cells) for row in rows] == [(2, ANN._replace(full_name="Ann Ångström"))]


def test_empty_lines_are_passed_over_and_lines_are_counted_as_an_editor_does():
    two_lines = ",".join(ANN._replace(info1='"two\nlines"'))
    bad = ",".join(ANN._replace(username="bo", role="King"))

    rows, faults = read(f"{TITLE_LINE}\n\n{two_lines}\n,,,,,,,,,\n{bad}".encode())

    assert [(row.line, row.cells.info1) for row in rows] == [(3, "two\nlines")]
    assert faults == [Fault(6, "Role", f"“King” is not known. Write one of: {', '.join(ROLES)}.")]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (
            b"",
            Fault(1, "Account type", "The title row must be unchanged: there is nothing where “Account type” belongs."),
        ),
        (
            TITLE_LINE.replace("Email", "E-mail").encode(),
            Fault(1, "Email", "The title row must be unchanged: there is “E-mail” where “Email” belongs."),
        ),
        (
            f"{TITLE_LINE},Extra".encode(),
            Fault(1, "Extra", "The title row must be unchanged: it ends with “Vaults”."),
        ),
        (
            f"{TITLE_LINE}\nx\xe9".encode("latin-1"),
            Fault(2, "", "The file is not UTF-8 text. Save it as “CSV UTF-8”."),
        ),
        (
            b"x" * (MOST_BYTES + 1),
            Fault(1, "", "The file has more than 20 MB. Split it and import the parts."),
        ),
        (f"{TITLE_LINE}\na,b".encode(), Fault(2, "", "The line has 2 cells; 10 belong there.")),
        (
            f'{TITLE_LINE}\n"open'.encode(),
            Fault(2, "", "The line is not CSV (unexpected end of data). Look at its quotation marks."),
        ),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_line(data, fault):
    assert read(data) == ([], [fault])


def test_one_row_more_than_a_hundred_thousand_is_too_many():
    line = ",".join(ANN)
    data = "\n".join([TITLE_LINE, *[line] * 100_001]).encode()

    assert read(data) == ([], [Fault(100_002, "", "The file has more than 100,000 rows. Split it.")])


@pytest.mark.parametrize(
    ("field", "word", "allowed"),
    [
        ("license_type", "Gold", LICENSE_TYPES),
        ("role", "", ROLES),
        ("state", "Gone", ("Enabled", "Disabled", "Added", "Deleted")),
    ],
)
def test_unknown_words_are_named_with_those_that_are_known(field, word, allowed):
    _, faults = read(file_of(ANN._replace(**{field: word})))

    assert faults == [Fault(2, getattr(TITLES, field), f"“{word}” is not known. Write one of: {', '.join(allowed)}.")]


def test_words_are_taken_in_any_letter_case():
    rows, faults = read(file_of(ANN._replace(license_type="read ONLY", role="no role", state=" enabled ")))

    assert faults == []
    assert rows[0].cells == ANN._replace(license_type="Read only", role="No Role", state="Enabled")


def test_every_fault_of_every_line_is_listed():
    bad = ANN._replace(role="King", state="Gone")

    _, faults = read(file_of(bad, ANN, ANN._replace(username="ANN")))

    assert [fault[:2] for fault in faults] == [(2, "Role"), (2, "State"), (3, "Username"), (4, "Username")]
    assert faults[-1].reason == "“ANN” stands in line 2 already."


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
TEXTS = st.one_of(CELL, st.sampled_from(["=1", "'=1", "''+x", "'", "-", "\t", '"', ";", ",", "'ann", "\r\n", "@a"]))


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), max_size=5), st.sampled_from([b"", codecs.BOM_UTF8]))
def test_what_is_exported_is_read_as_the_same(rows, mark):
    cells = [
        ANN._replace(username=f"{number}{name}", full_name=full, info1=one, info2=two)
        for number, (name, full, one, two) in enumerate(rows)
    ]

    found, faults = read(mark + "".join(csv_lines(TITLES, cells)).encode())

    assert faults == []
    assert [row.cells for row in found] == cells


def test_a_file_as_exported_asks_for_nothing():
    assert outcome(ANN, ROOT, known=[provisioned(), manual(ROOT, 2)]) == ([], [])


def test_what_a_row_asks_for():
    known = [
        manual(),
        manual(ANN._replace(username="off", state="Disabled"), 2),
        provisioned(ANN._replace(username="pro"), 3),
    ]

    wanted, faults = outcome(
        ANN._replace(full_name="Ann Berg", state="Disabled"),
        ANN._replace(username="OFF", state="Deleted"),
        ANN._replace(username="pro", license_type="Read only", role="Access Admin"),
        ANN._replace(username="new", state="Added", vaults=""),
        known=known,
    )

    assert faults == []
    assert [(one.line, one.pk, one.effects) for one in wanted] == [
        (2, 1, ["disabled", "changed"]),
        (3, 2, ["deleted"]),
        (4, 3, ["changed"]),
        (5, None, ["added"]),
    ]
    assert wanted[0].changes == {"Full name": ["Ann Ek", "Ann Berg"], "State": ["Enabled", "Disabled"]}
    assert wanted[2].changes == {"License type": ["Named", "Read only"], "Role": ["No Role", "Access Admin"]}
    assert [Asked.from_document(one.document()) for one in wanted] == wanted


OFF = ANN._replace(state="Disabled")


@pytest.mark.parametrize(
    ("row", "known", "column", "reason"),
    [
        (ANN, [], "Username", "There is no user “ann”. Write Added as the state to make one."),
        (
            ANN._replace(state="Added"),
            [manual()],
            "State",
            "There is a user of that name. Write Enabled or Disabled to keep it.",
        ),
        (
            ANN._replace(state="Added"),
            [],
            "Vaults",
            "There is no vault “Contracts”. Write the name as the list of vaults has it.",
        ),
        (
            ANN._replace(state="Added", vaults="", account_type="Application account"),
            [],
            "Account type",
            "Only “Internal user” can be added by a file.",
        ),
        (ANN._replace(state="Added", vaults="", username=""), [], "Username", "A user needs a username."),
        (
            ANN._replace(state="Added", vaults="", email="x"),
            [],
            "Email",
            "“x” is not an email address. Write it like ann@example.com.",
        ),
        (ANN._replace(account_type="Machine"), [manual()], "Account type", "It must stay “Internal user”."),
        (
            ANN._replace(vaults="Contracts|Other"),
            [manual()],
            "Vaults",
            "There is no vault “Other”. Write the name as the list of vaults has it.",
        ),
        (
            ANN._replace(state="Deleted"),
            [manual()],
            "State",
            "Only a disabled user can be deleted. Write Disabled, import, then delete.",
        ),
        (
            ANN._replace(state="Deleted"),
            [provisioned(OFF)],
            "State",
            "“Entra” provisions the user. Remove the user there first.",
        ),
        (
            ANN._replace(state="Disabled"),
            [provisioned()],
            "State",
            "“Entra” provisions the user and decides this. Leave “Enabled”.",
        ),
        (
            ANN._replace(info1="other"),
            [provisioned()],
            "Additional information 1",
            "“Entra” provisions the user and decides this. Leave “1001”.",
        ),
        (
            OFF._replace(license_type="Read only"),
            [Known(pk=1, cells=OFF, source="Entra", is_removed=True)],
            "License type",
            "The identity provider removed the user, who gets no license any more.",
        ),
        (
            ANN._replace(full_name=" Ann"),
            [manual()],
            "Full name",
            "Full name begins or ends with a space. Take it away.",
        ),
    ],
)
def test_what_cannot_be_is_said_with_its_column(row, known, column, reason):
    assert faults_of(row, known=known) == [(column, reason)]


@pytest.mark.parametrize("field", ["username", "full_name", "email"])
def test_the_letter_case_of_a_provisioned_user_stays_as_well(field):
    row = ANN._replace(**{field: getattr(ANN, field).upper()})

    assert [column for column, _ in faults_of(row, known=[provisioned()])] == [getattr(TITLES, field)]


def test_vaults_may_be_left_out_or_stand_in_another_order():
    ann = ANN._replace(vaults="Contracts|Other")

    for vaults in ("", "Other | Contracts", "Contracts|Other"):
        assert outcome(ann._replace(vaults=vaults), known=[manual(ann)]) == ([], [])


def test_what_is_malformed_already_may_stay_so():
    old = ANN._replace(email="not one", full_name=" Ann")

    wanted, faults = outcome(old._replace(info1="new"), known=[manual(old)])

    assert (faults, [one.changes for one in wanted]) == ([], [{"Additional information 1": ["1001", "new"]}])


def test_rows_beyond_the_reach_of_the_person_are_faulty_unless_they_change_nothing():
    def may_touch(*roles):
        return not {1, 3} & set(roles)

    high = manual(ANN._replace(role="Billing Admin"))
    reason = "Only a Subscription admin can change or appoint a Billing or Subscription admin."

    assert faults_of(high.cells, known=[high], may_touch=may_touch) == []
    assert faults_of(high.cells._replace(full_name="X"), known=[high], may_touch=may_touch) == [("Role", reason)]
    assert faults_of(ANN._replace(role="Subscription Admin"), known=[manual()], may_touch=may_touch) == [
        ("Role", reason)
    ]
    assert faults_of(ANN._replace(role="Access Admin"), known=[manual()], may_touch=may_touch) == []


LAST = "This would leave no enabled Subscription admin. Appoint another one first."


@pytest.mark.parametrize(
    ("rows", "admins", "faults"),
    [
        ([ROOT._replace(state="Disabled")], [1], [("State", LAST)]),
        ([ROOT._replace(role="No Role")], [1], [("Role", LAST)]),
        ([ROOT._replace(role="No Role")], [1, 9], []),
        ([ROOT._replace(role="No Role"), ROOT._replace(username="new", state="Added")], [1], []),
        ([ROOT._replace(full_name="Other")], [1], []),
    ],
)
def test_a_file_leaves_a_subscription_admin(rows, admins, faults):
    assert faults_of(*rows, known=[manual(ROOT)], admins=admins) == faults
