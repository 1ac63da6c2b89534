"""The Celery application; tasks live in ``licensing.tasks`` and ``provisioning.tasks``."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mfmanage.settings")

app = Celery("mfmanage")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
