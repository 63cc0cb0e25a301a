"""People."""

from django.contrib.auth.models import AbstractUser
from django.db import models

from steerway.platform.identity.rules import Role


class User(AbstractUser):
    """A person with one role."""

    role = models.CharField(
        max_length=20, choices=[(r.value, r.value) for r in Role], default=Role.VIEWER.value
    )

    class Meta:
        db_table = "identity_user"
