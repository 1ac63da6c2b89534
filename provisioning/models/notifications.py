from typing import ClassVar

from django.db import models

from provisioning.models.accounts import LoginAccount
from provisioning.models.subscriptions import Subscription
from provisioning.models.tenants import SubscriptionOf, TenantModel
from provisioning.models.vaults import TrustedPerson


class NotificationChoice(TenantModel):
    """Whether a person gets mail of one kind for one subscription, where they chose otherwise than is usual."""

    subscription = SubscriptionOf("account")
    account = models.ForeignKey(LoginAccount, models.CASCADE, related_name="notification_choices", db_index=False)
    kind = models.CharField(max_length=40)
    is_wanted = models.BooleanField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "kind"], name="notification_choice_unique")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.is_wanted}"


class Notification(TenantModel):
    """Something to tell people by mail: noticed at ``since``, told at ``told_at``, over at ``ended_at``.

    ``subject`` names what it is about within its kind, such as a license type. At most one of them runs at a time, so
    that nobody is told twice; once it ends, the next one is told anew. It is told from ``tell_at`` on, unless it has
    ended by then; null: at once.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="notifications", db_index=False)
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=200, blank=True)
    sentence = models.TextField()
    since = models.DateTimeField()
    tell_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subscription", "kind", "subject"],
                condition=models.Q(ended_at__isnull=True),
                name="notification_running_unique",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class NotificationMail(TenantModel):
    """A notification that a person is still to get by mail; the row goes once the mail has gone.

    The person has an ``account`` or is a ``trusted_person``. ``is_over``: the mail says that the matter has ended.

    It is tried from ``due_at`` on. Whoever is about to send moves that on first: another worker leaves it alone, and
    when this one is killed the mail comes later, twice at most, and is not lost. ``problem`` is why it has failed so
    far, ``attempts`` how often.
    """

    subscription = SubscriptionOf("notification")
    notification = models.ForeignKey(Notification, models.CASCADE, related_name="mails", db_index=False)
    account = models.ForeignKey(LoginAccount, models.CASCADE, null=True, blank=True, related_name="+")
    trusted_person = models.ForeignKey(TrustedPerson, models.CASCADE, null=True, blank=True, related_name="+")
    is_over = models.BooleanField(default=False)
    due_at = models.DateTimeField(db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["notification", "account"], name="notification_mail_unique"),
            models.UniqueConstraint(fields=["notification", "trusted_person"], name="notification_mail_trusted_unique"),
            models.CheckConstraint(
                condition=models.Q(account__isnull=True) ^ models.Q(trusted_person__isnull=True),
                name="notification_mail_to_one_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notification_id} to {self.account_id or self.trusted_person_id}"
