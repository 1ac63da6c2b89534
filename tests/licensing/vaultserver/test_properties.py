"""Whatever people and the portal do to a vault, its rules hold, and every repeated call changes nothing."""

import uuid
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from licensing.clients.agent import AgentRefused, LoginAccount, Outcome, VaultUserWish
from licensing.vaultserver import admin
from licensing.vaultserver.core import VaultServer
from tests.licensing.vaultserver.people import key

UIDS = [str(uuid.UUID(int=number)) for number in range(4)]
NAMES = ["anna", "Bert", "carl", "BERT", "dora"]

accounts = st.lists(
    st.builds(LoginAccount, uid=st.sampled_from(UIDS), username=st.sampled_from(NAMES), enabled=st.booleans()),
    max_size=4,
    unique_by=lambda account: account.uid,
)
wishes = st.lists(
    st.builds(
        VaultUserWish,
        account_uid=st.sampled_from(UIDS),
        enabled=st.booleans(),
        roles=st.none() | st.integers(0, 2**17),
        internal=st.none() | st.booleans(),
        override_person=st.booleans(),
    ),
    max_size=4,
    unique_by=lambda wish: wish.account_uid,
)
keys = st.lists(st.sampled_from([*UIDS, "user:1", "group:101", "group:102"]), max_size=5, unique=True)
steps = st.one_of(
    st.tuples(st.just("accounts"), accounts),
    st.tuples(st.just("forget"), st.lists(st.sampled_from(UIDS), max_size=2)),
    st.tuples(st.just("users"), wishes),
    st.tuples(st.just("members"), st.tuples(st.sampled_from([101, 102]), keys, st.integers(0, 5))),
    st.tuples(st.just("person adds"), st.sampled_from(NAMES)),
    st.tuples(st.just("person disables"), st.sampled_from(NAMES)),
    st.tuples(st.just("person deletes"), st.sampled_from(NAMES)),
)


def portal(server, vault, deed, what):
    """Do a deed of the portal; return its results."""
    if deed == "accounts":
        return server.put_login_accounts(vault, what, idempotency_key=key())
    if deed == "forget":
        return server.remove_login_accounts(vault, what, idempotency_key=key())
    if deed == "users":
        return server.put_vault_users(vault, what, idempotency_key=key())
    group, named, added = what
    return server.change_group_members(vault, group, add=named[:added], remove=named[added:], idempotency_key=key())


def person(server, vault, deed, name):
    """Do a deed of a person in M-Files Admin. Refused where there is no such user."""
    if deed == "person adds":
        admin.add_user(server, vault, name)
    elif deed == "person disables":
        admin.change_user(server, vault, name, enabled=False)
    else:
        admin.delete_user(server, vault, name)


def world(server, vault):
    return (
        server.list_login_accounts(vault).items,
        server.list_vault_users(vault).items,
        [server.list_group_members(vault, group.id).items for group in server.list_groups(vault)],
    )


def check(server, vault):
    known, users, memberships = world(server, vault)
    names = [user.username for user in users if user.username]
    assert len(names) == len(set(names)), "one vault user per login account"
    assert len({user.id for user in users}) == len(users)
    assert {user.account_uid for user in users if user.username} <= {account.uid for account in known}
    alive = {user.key for user in users if not user.deleted} | {"group:101", "group:102"}
    for members in memberships:
        assert {member.key for member in members} <= alive
    assert not ("group:102" in {m.key for m in memberships[2]} and "group:101" in {m.key for m in memberships[3]})


@settings(deadline=None, max_examples=150)
@given(st.lists(steps, max_size=12))
def test_the_rules_hold_and_repeating_changes_nothing(plan):
    server = VaultServer()
    vault = admin.create_vault(server, name="Contracts").guid
    for name in ("Legal", "Lawyers"):
        admin.add_group(server, vault, name)
    for deed, what in plan:
        if deed.startswith("person"):
            with suppress(AgentRefused):
                person(server, vault, deed, what)
        elif all(result.outcome is not Outcome.FAILED for result in portal(server, vault, deed, what)):
            before = world(server, vault)
            portal(server, vault, deed, what)
            assert world(server, vault) == before
        check(server, vault)
    server.close()
