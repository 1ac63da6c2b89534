"""What people can get mail about: the table of kinds, in the words of screens and mails."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of notification; ``advice`` says what a person can do, on the page of the URL name ``page``.

    With ``concerns_vault`` the subject is a vault's GUID: its trusted persons are told, too, and the end as well. With
    ``only_for``, the name of a permission, it is for those only who have that, who get it unless they chose otherwise.
    """

    name: str
    label: str
    help: str
    advice: str
    page: str
    concerns_vault: bool = False
    only_for: Literal["", "PROVISIONING", "SEE_ALL_ACTS"] = ""


POOL_FULL: Final = Kind(
    name="pool_full",
    label="All licenses of a type are in use",
    help="Whoever asks for one from then on waits.",
    advice="Purchase more, lower the license type of a user group, or take licenses from people who need none.",
    page="licenses",
)
POOL_NEARLY_FULL: Final = Kind(
    name="pool_nearly_full",
    label="Licenses of a type are nearly all in use",
    help="From 90 % on; told again only after it has been below 88 %.",
    advice="See how fast they are taken, and purchase more before the last one is gone.",
    page="licenses",
)
WAITING: Final = Kind(
    name="waiting",
    label="Users wait for a license",
    help="Told when the first begins to wait, and not again until nobody has waited.",
    advice="Purchase more. Licenses go to those who wait, first to the one who asked first.",
    page="licenses",
)
POOL_OVER_USED: Final = Kind(
    name="pool_over_used",
    label="More licenses are granted than purchased",
    help="Nobody loses a license, but no further one of this type is granted.",
    advice="Purchase more, or lower the license types of user groups until the numbers are balanced.",
    page="licenses",
)
VAULT_INCIDENT: Final = Kind(
    name="vault_incident",
    label="A vault has a problem",
    help="It cannot be reached or refuses to be changed for 10 minutes, its own user synchronization was turned on, or "
    "it is gone from its server. Told again when it is over. Its trusted persons are told, too.",
    advice="See what the vault says. Users and groups are brought up to date by themselves once it is well again.",
    page="vaults",
    concerns_vault=True,
)
SECRET_EXPIRES: Final = Kind(
    name="secret_expires",
    label="A client secret or bearer token expires soon",
    help="Told 60, 30, 7 and 1 days before, unless it is replaced. Without a valid one the identity provider is "
    "refused.",
    advice="Replace it on the page of the configuration, and give the new one to the identity provider.",
    page="configurations",
    only_for="PROVISIONING",
)
AUDIT_DIFFERS: Final = Kind(
    name="audit_differs",
    label="The audit log is not as it was written",
    help="The daily check found that somebody has changed the database past mfmanage, or that an older backup was "
    "restored. Told once for each finding.",
    advice="Ask the operator of this installation to run “manage.py auditverify”, which names every entry.",
    page="audit",
    only_for="SEE_ALL_ACTS",
)
POOL_KINDS: Final = (POOL_FULL, POOL_NEARLY_FULL, WAITING, POOL_OVER_USED)
KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind for kind in (*POOL_KINDS, VAULT_INCIDENT, SECRET_EXPIRES, AUDIT_DIFFERS)
}
