"""The project package: settings, wiring, the demo and the Entra simulator; it owns no table."""

from mfmanage.celery import app as celery_app

__all__ = ["celery_app"]
