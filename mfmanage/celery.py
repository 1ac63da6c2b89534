"""The Celery application; tasks live in ``licensing.tasks`` and ``provisioning.tasks``."""

import os
from collections.abc import Mapping
from typing import Any, Final

from celery import Celery, Task
from django.apps import apps

from provisioning import tenancy

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mfmanage.settings")


class ScopedTask(Task):  # type: ignore[type-arg]
    """A task touches the rows of the subscription that it is called for, or, called for none, of all of them."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        subscription_id = _subscription_of(kwargs)
        with tenancy.everybody() if subscription_id is None else tenancy.of(subscription_id):
            return super().__call__(*args, **kwargs)


def _subscription_of(keys: Mapping[str, Any]) -> int | None:
    """Return the subscription that a task's keys name; None for a sweep, and for something that is gone."""
    if "subscription_id" in keys:
        return int(keys["subscription_id"])
    for key, model in _OWNED.items():
        if key in keys:
            rows = apps.get_model("provisioning", model).objects.filter(pk=keys[key])
            with tenancy.everybody():
                found: int | None = rows.values_list("subscription_id", flat=True).first()
            return found
    return None


_OWNED: Final = {"vault_id": "Vault", "import_id": "UserImport"}


app = Celery("mfmanage", task_cls=ScopedTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
