"""What must hold for whole runs, over generated directories (SO-1, SO-3 and SO-5 of the wire cases)."""

import json
from typing import Any

import pytest

from mfmanage.entra.generating import generate
from mfmanage.entra.mapping import ENTERPRISE
from mfmanage.entra.reading import parse
from mfmanage.entra.styles import Style
from tests.entra.conftest import Simulator
from tests.entra.scim_server import Service, serving

PROBES = 2
SIZES = [(0, 0, 1), (1, 1, 2), (7, 2, 3), (40, 8, 4)]


def end_state(service: Service) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return all that the service holds, with userNames in place of the ids it chose."""
    names = {key: user["userName"] for key, user in service.resources["Users"].items()}
    names |= {key: group["displayName"] for key, group in service.resources["Groups"].items()}
    users = {
        name: json.loads(json.dumps(service.resources["Users"][key])) for key, name in names.items() if "@" in name
    }
    for user in users.values():
        user["id"] = ""
        if "manager" in user.get(ENTERPRISE, {}):
            user[ENTERPRISE]["manager"]["value"] = names.get(user[ENTERPRISE]["manager"]["value"], "gone")
    groups = {
        group["displayName"]: (group["externalId"], {names[member["value"]] for member in group["members"]})
        for group in service.resources["Groups"].values()
    }
    return users, groups


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("size", SIZES)
def test_so_1_a_cycle_without_change_reads_and_writes_nothing(service, provision, style, size):
    document = generate(*size)

    assert provision(document, cycles=2, style=style).failed == 0
    summary = provision.restarted(document, style=style)

    assert summary.failed == 0
    assert summary.cycles[0].writes == 0
    source = parse(document).at(3)
    assert summary.cycles[0].requests - PROBES == sum(user.in_scope for user in source.users.values()) + len(
        source.groups
    )


@pytest.mark.parametrize("size", SIZES)
def test_so_3_both_styles_end_in_the_same_state(size):
    states = []
    for style in Style:
        with serving() as service:
            Simulator(service)(generate(*size), cycles=2, style=style)
            states.append(end_state(service))

    assert states[0] == states[1]


@pytest.mark.parametrize("size", SIZES)
def test_a_run_that_lost_its_state_matches_everything_again_and_writes_no_attribute(service, provision, size):
    document = generate(*size) | {"changes": []}
    provision(document)
    before = end_state(service)

    Simulator(service)(document)

    assert end_state(service) == before
    assert service.patches("Users") == []
    assert {operation["path"] for operations in service.patches("Groups") for operation in operations} <= {"members"}


@pytest.mark.parametrize("style", list(Style))
def test_failures_on_the_way_end_in_the_clean_runs_state(service, provision, style):
    document = generate(20, 4, 5)
    with serving() as clean:
        Simulator(clean)(document, cycles=2, style=style)
        wanted = end_state(clean)
    for method, path in (
        ("POST", "/Users"),
        ("POST", "/Users"),
        ("PATCH", "/Users"),
        ("POST", "/Groups"),
        ("PATCH", "/G"),
    ):
        service.fail(method, path, 503)

    summary = provision(document, cycles=4, style=style)

    assert summary.failed == 5
    assert [cycle.failed for cycle in summary.cycles][2:] == [0, 0]
    assert end_state(service) == wanted
