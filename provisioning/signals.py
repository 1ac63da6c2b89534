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

vault_users_switched = Signal()
"""Sent with ``vault_id: int``, ``account_ids: list[int]``, ``is_enabled: bool`` and ``at: datetime`` inside the
transaction in which an admin enables or disables vault users in the portal: who was disabled by a person in the vault
is enabled, this once; a disabled one forgets that it should be."""

vault_leaving = Signal()
"""Sent with ``subscription_id: int``, ``vault_id: int`` and ``at: datetime`` inside the transaction that removes a
vault, before its row is locked: whoever keeps something of it deletes that there, in bulk, or fails with it."""

mail_waiting = Signal()
"""Sent after a commit that left a mail with a link to set a password: whoever sends mails need not wait."""
