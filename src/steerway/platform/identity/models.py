"""People, their tokens, and the two ways to be let in once."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models

from steerway.platform.db import new_id
from steerway.platform.identity.rules import DeviceState, Role, lesser

NAME_MAX = 40
TEXT_MAX = 200
DIGEST_LENGTH = 64
ROLES = [(role.value, role.value) for role in Role]


class User(AbstractUser):
    """A person with one role."""

    role = models.CharField(max_length=20, choices=ROLES, default=Role.VIEWER.value)

    class Meta:
        db_table = "identity_user"

    @property
    def as_role(self) -> Role:
        """The role as a value of rules."""
        return Role(self.role)


class LoginLink(models.Model):
    """A link that signs a person in once. Only the hash of its secret is kept."""

    id = models.UUIDField(primary_key=True, default=new_id)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="links")
    digest = models.CharField(max_length=DIGEST_LENGTH, unique=True)
    made_by = models.CharField(max_length=TEXT_MAX)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "identity_link"


class Token(models.Model):
    """A secret that lets a program act for its owner, within its role and scopes.

    Only the hash of the secret is kept; `prefix` is for people to recognise it by.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=NAME_MAX)
    role = models.CharField(max_length=20, choices=ROLES)
    scopes: "models.JSONField[list[str], list[str]]" = models.JSONField()
    digest = models.CharField(max_length=DIGEST_LENGTH, unique=True)
    prefix = models.CharField(max_length=16)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "identity_token"
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                condition=models.Q(revoked_at=None),
                name="identity_token_live_name",
            )
        ]

    def __repr__(self) -> str:
        return f"<Token {self.prefix}… {self.name}>"

    @property
    def narrowed_to(self) -> str:
        """Its scopes in words; empty when it may do all of its role."""
        return "" if self.scopes == ["*"] else ", ".join(self.scopes)

    @property
    def allowed_role(self) -> Role:
        """What it may do now: never more than its owner."""
        return lesser(Role(self.role), self.owner.as_role)


class DeviceRequest(models.Model):
    """A command line that waits for a person to say: that is me."""

    id = models.UUIDField(primary_key=True, default=new_id)
    digest = models.CharField(max_length=DIGEST_LENGTH, unique=True)
    user_code = models.CharField(max_length=12, unique=True)
    client = models.CharField(max_length=TEXT_MAX)
    address = models.CharField(max_length=TEXT_MAX)
    state = models.CharField(
        max_length=20,
        choices=[(state.value, state.value) for state in DeviceState],
        default=DeviceState.PENDING.value,
    )
    user: "models.ForeignKey[Any, Any]" = models.ForeignKey(
        User, null=True, on_delete=models.CASCADE, related_name="+"
    )
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "identity_device"
