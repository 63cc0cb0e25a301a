"""The table of releases."""

from typing import ClassVar

from django.db import models

from steerway.delivery.releases import rules
from steerway.platform.db import new_id


class Release(models.Model):
    """The built files of one state of a service."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    service = models.CharField(max_length=40)
    name = models.CharField(max_length=250)
    commit = models.CharField(max_length=64)
    subject = models.TextField()
    author = models.CharField(max_length=250)
    digest = models.CharField(max_length=64)
    input_digest = models.CharField(max_length=64)
    kind = models.CharField(max_length=20)
    size_bytes = models.BigIntegerField()
    notes = models.JSONField(default=list)
    built_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "delivery"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service", "digest"], name="release_once_a_service"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["service", "-built_at"], name="release_newest"),
            models.Index(fields=["digest"], name="release_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.name}"

    @property
    def short(self) -> str:
        """The beginning of the digest."""
        return self.digest[: rules.DIGEST_SHOWN]

    @property
    def is_present(self) -> bool:
        """Whether its files are still kept."""
        return self.removed_at is None
