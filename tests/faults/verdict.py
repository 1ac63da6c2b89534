"""Whether the database and the vault server say the same, found out by asking both in full."""

from collections import Counter

from licensing.clients.agent import MAX_PAGE, VaultAgent, each_vault_user
from licensing.models import Ending, VaultStatus, VaultUser, VaultUserMembership
from provisioning.models import LoginAccount
from tests.faults.world import World

EVERYBODY = "Everybody"
"""The target of the link in *replace* mode."""


def complaints(world: World, agent: VaultAgent) -> list[str]:
    """Return what is not as it shall be, as sentences; whom a *merge* target has too many is not told here."""
    guid, wanted = str(world.vault.guid), world.wanted()
    return [
        *_about_users(guid, agent, set().union(*wanted.values())),
        *_about_accounts(guid, agent),
        *_about_members(world, agent, wanted),
        *_about_records(world),
    ]


def _about_users(guid: str, agent: VaultAgent, wanted: set[str]) -> list[str]:
    users = list(each_vault_user(agent, guid))
    found = [f"{key} is in the vault twice" for key in _twice(user.key for user in users)]
    found += [f"{name} is in the vault twice" for name in _twice(str(user.username).casefold() for user in users)]
    known = {str(uid) for uid in LoginAccount.objects.values_list("uid", flat=True)}
    found += [f"{user.key} is nobody of ours" for user in users if user.key not in known]
    enabled = {user.key for user in users if user.enabled and not user.deleted}
    found += [f"{key} is not an enabled user of the vault" for key in wanted - enabled]
    found += [f"{key} is enabled in the vault, unwanted" for key in enabled - wanted]
    seen = {str(uid): is_on for uid, is_on in VaultUser.objects.values_list("account_uid", "seen_enabled")}
    there = {user.key: user.enabled for user in users}
    return found + [f"{key} is recorded wrongly" for key in there | seen if there.get(key) != seen.get(key)]


def _about_accounts(guid: str, agent: VaultAgent) -> list[str]:
    """The login accounts of the vault server are as ours, or no vault has them."""
    ours = {str(account.uid): account for account in LoginAccount.objects.select_related("license_grant")}
    found, page = [], agent.list_login_accounts(guid, limit=MAX_PAGE)
    while page.items:
        for account in page.items:
            one = ours[account.uid or ""]
            shall = (one.username, one.full_name, one.email, one.license_grant.granted_type, one.is_enabled)
            if shall != (account.username, account.full_name, account.email, account.license_type, account.enabled):
                found.append(f"login account {account} is not as in the portal: {shall}")
        if page.next_cursor is None:
            break
        page = agent.list_login_accounts(guid, cursor=page.next_cursor, limit=MAX_PAGE)
    return found


def _about_members(world: World, agent: VaultAgent, wanted: dict[str, set[str]]) -> list[str]:
    groups = Counter(group.name for group in agent.list_groups(str(world.vault.guid)) if not group.built_in)
    found = [] if groups == Counter(wanted.keys()) else [f"the vault's groups are {groups}"]
    present = {name: world.members(agent, name) for name in wanted}
    found += [f"{key} is missing in {name}" for name, keys in wanted.items() for key in keys - present[name]]
    found += [f"{key} is in {EVERYBODY}, unwanted" for key in present[EVERYBODY] - wanted[EVERYBODY]]
    recorded = VaultUserMembership.objects.filter(seen=True).count()
    expected = sum(map(len, wanted.values()))
    return found + ([] if recorded == expected else [f"{recorded} members are recorded, {expected} expected"])


def _about_records(world: World) -> list[str]:
    status = VaultStatus.objects.get(vault=world.vault)
    found = [] if status.state == Ending.READY else [f"the vault is {status.state}: {status.reason}"]
    open_users = VaultUser.objects.exclude(state=Ending.READY, due_at=None)
    return found + [f"vault user {user.account_uid} is {user.state}: {user.reason}" for user in open_users]


def _twice(names: object) -> list[str]:
    return [name for name, number in Counter(names).items() if number > 1]  # type: ignore[call-overload]
