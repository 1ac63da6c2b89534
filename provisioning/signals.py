"""What the directory tells others after a commit: keys only, never news; it may be lost."""

from django.dispatch import Signal

directory_changed = Signal()
"""Sent with ``subscription_id: int`` when something that licenses or vaults may care about has been committed."""

policies_changed = Signal()
"""Sent with ``subscription_id: int``, ``fields: frozenset[str]`` and ``at: datetime`` inside the transaction that
changes policies: whoever keeps something that follows from them makes it due there, or fails with it."""

account_leaving = Signal()
"""Sent with ``subscription_id: int``, ``account_id: int`` and ``at: datetime`` inside the transaction that deletes an
account for good, before its row is locked: whoever keeps something of it lets it go there, or fails with it."""

accounts_becoming_manual = Signal()
"""Sent with ``configuration``, ``account_ids: list[int]`` and ``at: datetime`` before accounts of a deleted
configuration become manual ones for good, inside the transaction: what it gave them must be kept as their own."""

links_ending = Signal()
"""Sent with ``link_ids: list[int]`` before links of a deleted configuration are removed, inside the transaction: their
targets in vaults keep the members that they have."""
