"""What another app adds to the lists of this one."""

import pytest

from provisioning import columns, fragments
from provisioning.columns import Cell, Column


@pytest.fixture
def _no_columns(monkeypatch):
    monkeypatch.setattr(columns, "_columns", {})


@pytest.mark.usefixtures("_no_columns")
def test_a_column_is_asked_once_for_a_whole_page():
    asked = []

    def cells(ids):
        asked.append(list(ids))
        return {1: Cell("Named", "good")}

    columns.register("accounts", Column("License", cells))

    assert columns.titles("accounts") == ["License"]
    assert columns.rows("accounts", [1, 2]) == {1: [Cell("Named", "good")], 2: [None]}
    assert asked == [[1, 2]]


@pytest.mark.usefixtures("_no_columns")
def test_an_empty_page_asks_no_column():
    columns.register("accounts", Column("License", lambda _ids: pytest.fail("asked")))

    assert columns.rows("accounts", []) == {}


@pytest.mark.usefixtures("_no_columns")
def test_registering_a_title_again_replaces_the_column():
    columns.register("links", Column("State", lambda _ids: {}))
    columns.register("links", Column("State", lambda _ids: {1: Cell("In sync")}))

    assert columns.rows("links", [1]) == {1: [Cell("In sync")]}


def test_a_fragment_is_shown_once_however_often_it_is_registered(monkeypatch):
    monkeypatch.setattr(fragments, "_fragments", {})

    def view(request, number):
        raise AssertionError

    fragments.register("home", view)
    fragments.register("home", view)

    assert fragments.views("home") == (view,)
    assert fragments.views("account") == ()
