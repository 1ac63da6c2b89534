"""Login accounts that a person changed on the server: put right, or taken over into the account when it is manual."""

from dataclasses import dataclass

from licensing.clients.agent import LoginAccount as ServerAccount
from licensing.models import VaultUser
from licensing.plans import vaults as plan
from licensing.plans.drift import Drift, Kind, person
from licensing.reconcilers.journals import Journal, Stage
from licensing.reconcilers.ranges import Range, Records
from licensing.reconcilers.sessions import VaultSession
from licensing.reconcilers.targets import lock_users, wake
from licensing.services import bulk, presence
from provisioning.models import LoginAccount, Vault
from provisioning.services import server_details
from provisioning.services.server_details import ServerDetails

_WORDS = {"username": "username", "full_name": "full name", "email": "e-mail", "license_type": "license type"}


@dataclass(frozen=True, slots=True)
class _Changed:
    """A vault user whose login account is not as it was left; ``seen`` None: the server does not have it.

    The server may have the login account of one that is not in the vault: a worker died between the two, or a person
    deleted the vault user. It must not stay enabled after the account was disabled.
    """

    row: VaultUser
    account: LoginAccount
    wanted: ServerAccount
    seen: ServerAccount | None

    @property
    def fields(self) -> list[str]:
        """The fields that differ from what the portal wants; none where neither vault user nor login account is."""
        if self.seen is None and self.row.seen_enabled is None:
            return []
        names = (*_WORDS, "enabled")
        return [name for name in names if getattr(self.wanted, name) != getattr(self.seen, name, None)]

    @property
    def was_left_alone(self) -> bool:
        """Whether the portal changed nothing since it wrote the account the last time."""
        return self.row.due_at is None and plan.profile(self.wanted) == self.row.seen_profile

    @property
    def details(self) -> ServerDetails | None:
        """What can be taken over from the server."""
        if self.seen is None or not {"full_name", "email"} & set(self.fields) or not self.was_left_alone:
            return None
        details = ServerDetails(self.account, self.seen.full_name, self.seen.email)
        return details if details.may_be_taken() else None


def records(vault: Vault) -> Records[VaultUser]:
    """Return the vault users whose login accounts the server should have, or may have."""
    return Records(VaultUser.objects.filter(vault=vault, account__isnull=False))


def compare(journal: Journal, stage: Stage, part: Range[ServerAccount, VaultUser]) -> None:
    """Compare the accounts of a page with what they were told last."""
    session = journal.session
    changed = _changed(part)
    taken: set[int] = set()
    wishes = [details for one in changed if (details := one.details)]
    if wishes and not session.only_looks:
        at = session.lease.now()
        taken = server_details.take_over_details(vault=session.vault, details=wishes, at=at)
    with journal.page(stage, part) as drift:
        for one in changed:
            _report(one, drift, is_taken=one.account.pk in taken)
        if not session.only_looks:
            _record(session, changed, taken)


def _changed(part: Range[ServerAccount, VaultUser]) -> list[_Changed]:
    found = [
        (row, seen) for row in part.rows if _profile(seen := part.items.get(str(row.account_uid))) != row.seen_profile
    ]
    ids = [row.account_id for row, _ in found if row.account_id]
    by_id, wanted = LoginAccount.objects.defer("document", "search").in_bulk(ids), presence.server_accounts(ids)
    return [
        _Changed(row, by_id[pk], wanted[pk], seen)
        for row, seen in found
        if (pk := row.account_id) in by_id and pk in wanted
    ]


def _profile(account: ServerAccount | None) -> str:
    return plan.profile(account) if account else ""


def _report(changed: _Changed, drift: Drift, *, is_taken: bool) -> None:
    """Report what the portal did not do itself."""
    if changed.row.due_at is not None or not changed.fields:
        return
    subject = person(changed.account.full_name, changed.account.username)
    drift.found(Kind.DIFFERENT, subject, _detail(changed, is_taken=is_taken), is_repaired=True)


def _detail(changed: _Changed, *, is_taken: bool) -> str:
    if changed.seen is None:
        return "the login account is gone from the server; made again"
    end = "taken over" if is_taken else "put right"
    return f"{', '.join(_is_there(name, changed.seen) for name in changed.fields)}; {end}"


def _is_there(name: str, seen: ServerAccount) -> str:
    if name == "enabled":
        return f"the login account is {'enabled' if seen.enabled else 'disabled'} there"
    value = seen.license_type.label if name == "license_type" else getattr(seen, name)
    return f"{_WORDS[name]} is “{value}” there" if value else f"{_WORDS[name]} is empty there"


def _record(session: VaultSession, changed: list[_Changed], taken: set[int]) -> None:
    """Record how the accounts are; those that are to be written again are due."""
    if not changed:
        return
    lock_users(one.row.pk for one in changed)
    rows = [{"id": one.row.pk, "seen_profile": _profile(one.seen)} for one in changed]
    bulk.change(VaultUser, rows, changing=["seen_profile"])
    open_ = [one.row for one in changed if not _is_settled(one, is_taken=one.account.pk in taken)]
    wake(session, [row.pk for row in open_ if row.due_at is None])


def _is_settled(changed: _Changed, *, is_taken: bool) -> bool:
    """Return whether the server has what the portal wants, what was taken over included."""
    return not set(changed.fields) - ({"full_name", "email"} if is_taken else set())
