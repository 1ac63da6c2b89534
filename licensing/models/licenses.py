from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from licensing.plans.licenses import SourceKind
from provisioning.license_types import LICENSE_TYPE_CHOICES, LicenseType
from provisioning.models import LoginAccount, Subscription, UserGroup
from provisioning.models.tenants import TenantModel

_SOURCES = [(str(kind), kind.name.capitalize()) for kind in SourceKind]
WAITING = Q(wanted_type__gt=LicenseType.NONE) & ~Q(wanted_type=F("granted_type"))
"""Grants of accounts that want a type which they do not have."""


class LicensePool(TenantModel):
    """How many licenses of a type the subscription purchased, and how many are granted.

    ``ceiling`` is what the database lets ``granted`` grow to: ``purchased``, or after a reduction below ``granted``
    what was granted then. Concurrent licenses are limited by sessions, not by grants. A raised ``generation`` means
    that the purchased number changed and that the workers have not yet looked at who waits.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="license_pools", db_index=False)
    license_type = models.PositiveSmallIntegerField(choices=LICENSE_TYPE_CHOICES)
    purchased = models.PositiveIntegerField(default=0)
    granted = models.PositiveIntegerField(default=0)
    ceiling = models.PositiveIntegerField(default=0)
    generation = models.PositiveBigIntegerField(default=1)
    observed_generation = models.PositiveBigIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subscription", "license_type"], name="pool_unique"),
            models.CheckConstraint(condition=Q(ceiling__gte=F("purchased")), name="pool_ceiling_covers_purchased"),
            models.CheckConstraint(
                condition=Q(license_type=LicenseType.CONCURRENT) | Q(granted__lte=F("ceiling")),
                name="pool_not_oversold",
            ),
        ]

    def __str__(self) -> str:
        return f"{LicenseType(self.license_type).label}: {self.granted} of {self.purchased}"


class LicenseGrant(TenantModel):
    """What license an account wants, since when and why, and which one it has.

    It waits while it wants a type that it does not have. ``source_kind`` and ``source_group`` say what gives the
    wanted type. ``pinned_type`` and ``manual_type`` are a person's choice. ``passed_over_at`` is when the account was
    first left without a seat; ``username_key`` is the account's, for the order of the queue.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="+", db_index=False)
    # The seat of an account that is deleted must go back to its pool first.
    account = models.OneToOneField(LoginAccount, models.RESTRICT, related_name="license_grant")
    username_key = models.TextField()
    granted_type = models.PositiveSmallIntegerField(choices=LICENSE_TYPE_CHOICES, default=LicenseType.NONE)
    granted_at = models.DateTimeField(null=True, blank=True)
    wanted_type = models.PositiveSmallIntegerField(choices=LICENSE_TYPE_CHOICES, default=LicenseType.NONE)
    asked_at = models.DateTimeField(null=True, blank=True)
    passed_over_at = models.DateTimeField(null=True, blank=True)
    pinned_type = models.PositiveSmallIntegerField(choices=LICENSE_TYPE_CHOICES, null=True, blank=True)
    manual_type = models.PositiveSmallIntegerField(choices=LICENSE_TYPE_CHOICES, null=True, blank=True)
    source_kind = models.CharField(max_length=10, choices=_SOURCES, default=SourceKind.NOTHING)
    source_group = models.ForeignKey(UserGroup, models.SET_NULL, null=True, blank=True, related_name="+")
    release_due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["subscription", "wanted_type", "asked_at", "username_key"],
                condition=WAITING,
                name="grant_queue",
            ),
            models.Index(
                fields=["subscription", "release_due_at"],
                condition=Q(release_due_at__isnull=False),
                name="grant_release_due",
            ),
            models.Index(fields=["subscription", "granted_type"], name="grant_type"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {LicenseType(self.granted_type).label}"

    @property
    def is_waiting(self) -> bool:
        return self.wanted_type > LicenseType.NONE and self.wanted_type != self.granted_type


class LicenseDay(TenantModel):
    """How many licenses of a type were purchased, granted and waited for on a day of the subscription's calendar.

    The day's last look stays. For Concurrent, ``in_use`` is the most sessions at once that were seen that day.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="license_days", db_index=False)
    license_type = models.PositiveSmallIntegerField(choices=LICENSE_TYPE_CHOICES)
    day = models.DateField()
    purchased = models.PositiveIntegerField()
    granted = models.PositiveIntegerField()
    waiting = models.PositiveIntegerField()
    in_use = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subscription", "license_type", "day"], name="license_day_unique")
        ]

    def __str__(self) -> str:
        return f"{LicenseType(self.license_type).label} on {self.day}"
