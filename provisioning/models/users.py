from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """Who signs in to the portal, by username or e-mail address; linked to the login accounts that have a role."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True)
    full_name = models.CharField(max_length=200, blank=True)

    def get_full_name(self) -> str:
        return self.full_name or self.username
