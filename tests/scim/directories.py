"""Generated directories, written as the rows that the services would write, in as few statements as can be."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from provisioning.models import GroupMembership, GroupNesting, LoginAccount, ProvisioningConfiguration, UserGroup
from scim.documents import normalize
from scim.resources import groups, users
from scim.schema import ENTERPRISE_SCHEMA, GROUP, INFO_SCHEMA, USER
from tests.factories import NOON, recount

ENT, INFO = ENTERPRISE_SCHEMA.urn, INFO_SCHEMA.urn
UNKNOWN = "urn:example:custom:2.0:User"
IDS = [f"0000000{number}-0000-4000-8000-00000000000{number}" for number in range(8)]
WORDS = ["a", "A", "ab", "a%", "a_", "a\\", 'a"b', "ß", "SS", "İ", "ÄB", "äb", "\U0001f600", "\ufeff", "z z", " a", "*"]
WORDS += ["x" * 130 + "a", "x" * 130 + "b"]
MOMENTS = [
    NOON,
    NOON + timedelta(microseconds=500_000),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(9999, 1, 1, tzinfo=UTC),
]

word = st.sampled_from(WORDS)
email = st.fixed_dictionaries(
    {"value": word},
    optional={"type": st.sampled_from(["work", "Work", "home"]), "primary": st.booleans(), "display": word},
)


def several(**more: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.fixed_dictionaries({"value": word}, optional={"primary": st.booleans(), **more}), max_size=2)


user_bodies = st.fixed_dictionaries(
    {"schemas": st.just([USER.schema.urn])},
    optional={
        "displayName": word,
        "name": st.fixed_dictionaries({}, optional=dict.fromkeys(["formatted", "givenName", "familyName"], word)),
        "active": st.booleans(),
        "title": word,
        "profileUrl": word,
        "emails": st.lists(email, max_size=3),
        "phoneNumbers": several(type=st.sampled_from(["work", "mobile"])),
        "photos": several(),
        "roles": several(display=word),
        "x509Certificates": st.lists(st.fixed_dictionaries({"value": st.sampled_from(["TUlJ", "tulj"])}), max_size=2),
        "addresses": st.lists(st.fixed_dictionaries({"locality": word, "type": st.just("work")}), max_size=2),
        ENT: st.fixed_dictionaries(
            {}, optional={"department": word, "costCenter": word, "manager": st.sampled_from(IDS)}
        ),
        INFO: st.fixed_dictionaries({}, optional={"info1": word, "info2": word}),
        UNKNOWN: st.just({"Keep": ["As Is"]}),
    },
)


@st.composite
def directories(draw: st.DrawFn) -> dict[str, Any]:
    """Up to four users and as many groups; ``nested`` holds pairs of a group and one that is a member of it.

    ``intended`` is what a protection holds back of ``active``, or None.
    """
    bodies = draw(st.lists(user_bodies, min_size=1, max_size=4))
    names = draw(st.permutations([w for w in WORDS if w.strip()]))
    for number, body in enumerate(bodies):
        body["userName"] = f"{names[number]}{number}"
        if draw(st.booleans()):
            body["externalId"] = f"{names[number]}{number}"
    members = draw(st.lists(st.sets(st.integers(0, len(bodies) - 1)), max_size=4))
    numbers = st.integers(0, max(len(members) - 1, 0))
    return {
        "users": bodies,
        "groups": [group_body(number, names[-number - 1], draw(st.booleans())) for number in range(len(members))],
        "members": members,
        "nested": draw(st.sets(st.tuples(numbers, numbers), max_size=3)) if members else set(),
        "moments": draw(st.lists(st.sampled_from(MOMENTS), min_size=4, max_size=4)),
        "intended": draw(st.lists(st.sampled_from([None, None, True, False]), min_size=4, max_size=4)),
    }


def group_body(number: int, name: str, has_external_id: bool) -> dict[str, Any]:  # noqa: FBT001
    body: dict[str, Any] = {"schemas": [GROUP.schema.urn], "displayName": f"{name}{number}"}
    return body | ({"externalId": f"E{number}", UNKNOWN: {"Keep": "x"}} if has_external_id else {})


def fill(configuration: ProvisioningConfiguration, directory: dict[str, Any]) -> None:
    """Let the database hold this directory and nothing else."""
    LoginAccount.objects.all().delete()
    UserGroup.objects.all().delete()
    own = {"configuration": configuration, "subscription": configuration.subscription}
    moments = directory["moments"]
    accounts = LoginAccount.objects.bulk_create(
        account_row(number, body, moments[number], {**own, "intended_active": directory["intended"][number]})
        for number, body in enumerate(directory["users"])
    )
    made = UserGroup.objects.bulk_create(
        group_row(number, body, moments[-number - 1], own) for number, body in enumerate(directory["groups"])
    )
    GroupMembership.objects.bulk_create(
        GroupMembership(subscription=configuration.subscription, group=group, account=accounts[member])
        for group, members in zip(made, directory["members"], strict=True)
        for member in members
    )
    nested = [GroupNesting(group=made[group], child=made[child]) for group, child in sorted(directory["nested"])]
    GroupNesting.objects.bulk_create(nested)
    recount(configuration)


def account_row(number: int, body: dict[str, Any], at: datetime, own: dict[str, Any]) -> LoginAccount:
    profile = users.profile_of(normalize(USER, body).document)
    return LoginAccount(
        **own,
        scim_id=IDS[number],
        username=profile.username,
        username_key=profile.username.casefold(),
        external_id=profile.external_id,
        full_name=profile.full_name,
        display_name_key=profile.display_name.casefold(),
        email_key=profile.email_key,
        is_enabled=profile.is_enabled,
        document=profile.document,
        search=profile.search,
        created_at=at,
        modified_at=at + timedelta(hours=1) if at < MOMENTS[-1] else at,
    )


def group_row(number: int, body: dict[str, Any], at: datetime, own: dict[str, Any]) -> UserGroup:
    profile = groups.profile_of(normalize(GROUP, body).document)
    return UserGroup(
        **own,
        scim_id=IDS[4 + number],
        display_name=profile.display_name,
        display_name_key=profile.display_name.casefold(),
        external_id=profile.external_id,
        document=profile.document,
        search=profile.search,
        created_at=at,
        modified_at=at,
    )
