"""What people can get mail about: the table of kinds, in the words of screens and mails."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of notification; ``advice`` says what a person can do, on the page of the URL name ``page``."""

    name: str
    label: str
    help: str
    advice: str
    page: str


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
KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in (POOL_FULL, POOL_NEARLY_FULL, WAITING, POOL_OVER_USED)}
