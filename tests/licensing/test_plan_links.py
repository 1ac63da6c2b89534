"""How a link stands, from facts alone (1-product §1.5, rule 7)."""

import pytest

from licensing.plans.links import LinkFacts, LinkState, LinkView, view

DELETED = "The identity provider deleted the source user group"
GOING = "Being removed: its members leave"
REFUSED = {"refused": 1, "refusal": "No."}
SOURCE = {"is_source_deleted": True}
DAY = {"leaves_on": "13 May 2026, 12:00"}


@pytest.mark.parametrize(
    ("facts", "state", "progress", "reason"),
    [
        ({"is_ending": True, "total": 1234, "open": 3}, LinkState.SYNCHRONIZING, "1,234 to go", GOING),
        ({"is_ending": True}, LinkState.SYNCHRONIZING, "", GOING),
        ({"is_ending": True, "is_source_deleted": True}, LinkState.SYNCHRONIZING, "", GOING),
        ({"is_ending": True, "is_paused": True}, LinkState.PAUSED, "", ""),
        ({"is_ending": True, "problem": "Down."}, LinkState.NEEDS_ATTENTION, "", f"{GOING}. Down."),
        (
            {"is_ending": True, "total": 2, "open": 2, **REFUSED},
            LinkState.NEEDS_ATTENTION,
            "2 to go",
            f"{GOING}. 1 vault user was refused: No.",
        ),
        (
            {**SOURCE, **DAY, "problem": "Down."},
            LinkState.SOURCE_DELETED,
            "",
            f"{DELETED}; its members leave on 13 May 2026, 12:00.",
        ),
        (
            {**SOURCE, "total": 4, "open": 3, "problem": "Down."},
            LinkState.SOURCE_DELETED,
            "1 of 4",
            f"{DELETED}; its members shall leave. Down.",
        ),
        ({**SOURCE, "total": 4, "open": 3}, LinkState.SOURCE_DELETED, "1 of 4", f"{DELETED}; its members are leaving."),
        ({**SOURCE, "problem": "Down."}, LinkState.SOURCE_DELETED, "", f"{DELETED}; its members have left."),
        ({"total": 250_000, "open": 1}, LinkState.SYNCHRONIZING, "249,999 of 250,000", ""),
    ],
)
def test_a_link_that_ends_or_has_lost_its_source(facts, state, progress, reason):
    assert view(LinkFacts(**facts)) == LinkView(state, progress, reason)
