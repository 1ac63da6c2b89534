from django.db import models


class Ending(models.TextChoices):
    """How a reconcile ended (2-architecture §2.2)."""

    READY = "ready", "Ready"
    """Nothing is left to do until something changes."""
    RETRYING = "retrying", "Retrying"
    """It failed and is tried again by itself, after 30 seconds doubling to an hour."""
    STALLED = "stalled", "Needs a person"
    """A person must act; a new generation wakes it."""
