"""What the directory tells others after a commit: keys only, never news; it may be lost."""

from django.dispatch import Signal

directory_changed = Signal()
"""Sent with ``subscription_id: int`` when something that licenses or vaults may care about has been committed."""
