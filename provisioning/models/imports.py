from typing import ClassVar

from django.db import models

from provisioning.models.subscriptions import Subscription
from provisioning.models.tenants import TenantModel


class UserImport(TenantModel):
    """A CSV file of users that was checked whole and waits for the admin to confirm its preview (1-product §1.7).

    ``rows`` are the changes that it asks for, in the words of the file; ``applied_at`` is null until they were made.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="user_imports", db_index=False)
    file_name = models.CharField(max_length=200)
    rows = models.JSONField(default=list)
    uploaded_by = models.TextField()
    uploaded_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)
    outcome = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["subscription", "-id"], name="user_import_page")]

    def __str__(self) -> str:
        return self.file_name
