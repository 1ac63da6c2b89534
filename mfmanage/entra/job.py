"""The settings of a provisioning job, its connection aside."""

from dataclasses import dataclass

from mfmanage.entra.attributes import GALLERY
from mfmanage.entra.mapping import AttributeMapping


@dataclass(frozen=True, kw_only=True)
class Job:
    """How a job provisions.

    ``workers`` is the number of objects worked on at a time. With ``checks_references`` the service is asked
    about every manager and member before one is written. With ``skips_out_of_scope_deletions`` an object that
    leaves the scope is left as it is. More removals in one cycle than ``deletion_threshold`` are held back.
    """

    mapping: AttributeMapping = GALLERY
    workers: int = 1
    checks_references: bool = False
    skips_out_of_scope_deletions: bool = False
    deletion_threshold: int | None = None
