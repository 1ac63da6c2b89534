from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from provisioning.models.accounts import LoginAccount

IDLE = timedelta(hours=2)
"""A session in which nothing was asked for so long is over."""


class PortalSession(AbstractBaseSession):
    """A browser's session; ``session_key`` is the digest of what stands in the cookie, which nobody can go back from.

    ``user`` is null until somebody has signed in. ``account`` is the one for which a single sign-on let the person in;
    null: a password did.
    """

    session_key = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="portal_sessions"
    )
    account = models.ForeignKey(LoginAccount, models.CASCADE, null=True, blank=True, related_name="+")
    signed_in_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField()
    address = models.CharField(max_length=64, blank=True)
    browser = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.session_key[:8]} of {self.user_id}"

    @classmethod
    def live(cls, at: datetime) -> "models.QuerySet[Self]":
        """Return the sessions that are not over."""
        return cls.objects.filter(expire_date__gt=at, seen_at__gt=at - IDLE)


class PasswordMail(models.Model):
    """A mail with a link by which a person sets a password: an invitation, or because the old one was forgotten.

    ``user`` is null until a worker has looked whose ``email`` was typed, so that asking tells nobody who is known.
    The link is made when the mail goes; only its digest is kept, and it opens once, until ``expires_at``. ``due_at``
    is null once the mail has gone; ``problem`` says why it has not.
    """

    class Kind(models.TextChoices):
        INVITATION = "invitation", "Invitation"
        RESET = "reset", "Password reset"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="password_mails"
    )
    account = models.ForeignKey(LoginAccount, models.CASCADE, null=True, blank=True, related_name="password_mails")
    email = models.CharField(max_length=254, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="password_mail_due"),
            models.Index(fields=["digest"], condition=~models.Q(digest=""), name="password_mail_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.user_id or self.email}"
