"""Generated directories with change lists, valid by construction."""

from typing import Any

from hypothesis import strategies as st

from mfmanage.entra.attributes import COMMON, DETAILS, GROUP_ROWS, INFORMATION, ROLES, USER_NAME, Roles
from mfmanage.entra.mapping import AttributeMapping

EVERYTHING = AttributeMapping(
    name="everything",
    users=(*COMMON, *INFORMATION, *DETAILS, ROLES[Roles.SINGLE]),
    groups=GROUP_ROWS,
    matching=(USER_NAME,),
)
"""All attributes that any mapping has."""

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(str.strip)
FREE = (
    *("displayName", "givenName", "surname", "mail", "mailNickname", "info1", "info2", "jobTitle", "department"),
    *("employeeId", "physicalDeliveryOfficeName", "streetAddress", "city", "state", "postalCode"),
    *("telephoneNumber", "mobile", "facsimileTelephoneNumber"),
)
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(FREE, st.none() | TEXT),
        "preferredLanguage": st.sampled_from(["fi-FI", "en", "sv-SE"]),
        "country": st.sampled_from(["FI", "SE", "DK"]),
        "proxyAddresses": st.lists(TEXT, max_size=2),
        "appRoles": st.lists(TEXT, max_size=2),
        "accountEnabled": st.booleans(),
        "assigned": st.sampled_from([True, True, False]),
        "softDeleted": st.sampled_from([False, False, True]),
    },
)


@st.composite
def directories(draw: st.DrawFn) -> dict[str, Any]:
    """Return a directory document of a few users and groups, and up to three changes."""
    people = [f"u{number}" for number in range(draw(st.integers(1, 4)))]
    teams = [f"g{number}" for number in range(draw(st.integers(0, 2)))]
    users = [
        {"id": key, "userPrincipalName": f"{key}@contoso.com", **draw(ATTRIBUTES), "manager": draw(_one_of(people))}
        for key in people
    ]
    groups = [{"id": key, "displayName": f"{key} {draw(TEXT)}", "members": draw(_some_of(people))} for key in teams]
    changes = [draw(_change(turn, people, teams)) for turn in range(draw(st.integers(0, 3)))]
    return {"users": users, "groups": groups, "changes": changes}


def _one_of(keys: list[str]) -> st.SearchStrategy[str | None]:
    return st.none() | st.sampled_from(keys) if keys else st.none()


def _some_of(keys: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(keys), unique=True) if keys else st.just([])


@st.composite
def _change(draw: st.DrawFn, turn: int, people: list[str], teams: list[str]) -> dict[str, Any]:
    """Draw one change and take who is deleted in it out of ``people`` and ``teams``."""
    gone = draw(_some_of(people)) if draw(st.integers(0, 3)) == 0 else []
    for key in gone:
        people.remove(key)
    users = [{"id": key, "deleted": True} for key in gone]
    for key in draw(_some_of(people)):
        renamed = {"userPrincipalName": f"{key}.{turn}@contoso.com"} if draw(st.booleans()) else {}
        users.append({"id": key, **draw(ATTRIBUTES), **renamed, "manager": draw(_one_of(people))})
    groups = []
    for key in draw(_some_of(teams)):
        if draw(st.integers(0, 4)) == 0:
            teams.remove(key)
            groups.append({"id": key, "deleted": True})
        else:
            groups.append({"id": key, "displayName": f"{key} {draw(TEXT)}", "members": draw(_some_of(people))})
    return {"users": users, "groups": groups}
