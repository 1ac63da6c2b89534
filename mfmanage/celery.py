"""The Celery application; tasks live in ``licensing.tasks`` and ``provisioning.tasks``."""

import os
from typing import Any

from celery import Celery, Task

from provisioning import tenancy

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mfmanage.settings")


class ScopedTask(Task):  # type: ignore[misc]
    """A task touches the rows of the subscription that it is called for, or, called for none, of all of them."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        subscription_id = kwargs.get("subscription_id")
        with tenancy.everybody() if subscription_id is None else tenancy.of(subscription_id):
            return super().__call__(*args, **kwargs)


app = Celery("mfmanage", task_cls=ScopedTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
