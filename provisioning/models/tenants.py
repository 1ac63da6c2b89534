"""What all tables of tenants have in common: a subscription, never another one's row, and nobody's without a scope."""

from collections.abc import Collection, Sequence
from typing import Any, Self

from django.db import models

from provisioning import tenancy


class TenantModel(models.Model):
    """A row of exactly one subscription; in the scope of another one it does not become an object (decision 25)."""

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Sequence[Any]) -> Self:  # type: ignore[override]
        """Make an object of a row. Raises ``OtherSubscription``."""
        row = super().from_db(db, field_names, values)
        tenancy.check(row)
        return row


class SubscriptionOf(models.ForeignKey):  # type: ignore[type-arg]
    """The subscription of a row that has a ``parent``: always the parent's; whoever makes the row need not say it."""

    def __init__(self, parent: str = "", **options: Any) -> None:
        self.parent = parent
        usual: dict[str, Any] = {
            "to": "provisioning.Subscription",
            "on_delete": models.CASCADE,
            "related_name": "+",
            "db_index": False,
        }
        super().__init__(**usual | options)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        """To migrations it is a foreign key like any other."""
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.ForeignKey", arguments, options

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001
        """Take the parent's subscription when a row is made."""
        if add:
            setattr(model_instance, self.attname, getattr(model_instance, self.parent).subscription_id)
        return super().pre_save(model_instance, add)
