"""What the directory tells others after a commit: keys only, never news; it may be lost."""

from django.dispatch import Signal

directory_changed = Signal()
"""Sent with ``subscription_id: int`` when something that licenses or vaults may care about has been committed."""

account_leaving = Signal()
"""Sent with ``subscription_id: int``, ``account_id: int`` and ``at: datetime`` inside the transaction that deletes an
account for good, before its row is locked: whoever keeps something of it lets it go there, or fails with it."""
