"""The license types of a subscription, in plain Python (1-product: *License type*)."""

from enum import IntEnum


class LicenseType(IntEnum):
    """A license; a higher number is a higher license, so that "the highest of" is ``max`` here and ``MAX`` in SQL."""

    NONE = 0
    READ_ONLY = 1
    CONCURRENT = 2
    NAMED = 3

    @property
    def slug(self) -> str:
        """The word of the command line and of JSON."""
        return self.name.lower().replace("_", "-")

    @property
    def label(self) -> str:
        """The words of the screens, which are M-Files' own."""
        return "No license" if self is LicenseType.NONE else self.name.capitalize().replace("_", " ")

    @classmethod
    def from_slug(cls, slug: str) -> "LicenseType":
        """Return the type that ``slug`` names. Raises ``ValueError`` with the words that are allowed."""
        for member in cls:
            if member.slug == slug.strip().lower():
                return member
        allowed = ", ".join(member.slug for member in reversed(cls))
        raise ValueError(f"{slug!r} is not a license type; use one of {allowed}.")


LICENSED_TYPES = (LicenseType.NAMED, LicenseType.CONCURRENT, LicenseType.READ_ONLY)
"""The types that have a pool, highest first."""
SEATED_TYPES = (LicenseType.NAMED, LicenseType.READ_ONLY)
"""The types whose grants are limited by the purchased number; Concurrent is limited by sessions, not by grants."""
LICENSE_TYPE_CHOICES = [(int(member), member.label) for member in reversed(LicenseType)]
