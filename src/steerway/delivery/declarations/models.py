"""The tables of flags: files, definitions, what is decided where, and the documents of it all."""

from typing import Any

from django.db import models

from steerway.delivery.declarations.rules.documents import Decided
from steerway.delivery.declarations.rules.exposing import Exposure as Shares
from steerway.delivery.declarations.rules.states import Origin
from steerway.planning.changes.models import Change
from steerway.platform.db import new_id


class FlagFile(models.Model):
    """The flag file of a service as it was applied; `written` has each value by its path."""

    id = models.UUIDField(primary_key=True, default=new_id)
    service = models.CharField(max_length=40, unique=True)
    file = models.CharField(max_length=500)
    text = models.TextField()
    document: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()
    written: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()
    applied_at = models.DateTimeField()
    applied_by = models.CharField(max_length=200)

    class Meta:
        db_table = "flag_file"


class Flag(models.Model):
    """One flag of a service, defined in its file or in Steerway, and never in both."""

    id = models.UUIDField(primary_key=True, default=new_id)
    service = models.CharField(max_length=40)
    key = models.CharField(max_length=100)
    origin = models.CharField(max_length=20, choices=[(o.value, o.value) for o in Origin])
    definition: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()
    owner = models.CharField(max_length=200)
    expires = models.DateField()
    declared_at = models.DateTimeField()
    declared_by = models.CharField(max_length=200)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "flag"
        ordering = ["service", "key"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "key"],
                condition=models.Q(retired_at=None),
                name="one_flag_a_key",
            )
        ]

    @property
    def description(self) -> str:
        """What it is for, as its metadata says."""
        return str(self.definition.get("metadata", {}).get("description", ""))


class Place(models.Model):
    """A flag in one environment: what is decided over its definition, and what came of it.

    `share` is the percentage of `variant` among those no rule decides about; null is unknown.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="places")
    environment = models.CharField(max_length=40)
    position = models.SmallIntegerField(default=0)
    off_at = models.DateTimeField(null=True)
    off_by = models.CharField(max_length=200, blank=True)
    off_reason = models.CharField(max_length=500, blank=True)
    off_evidence: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(
        default=dict
    )
    exposure: "models.JSONField[dict[str, Any] | None, dict[str, Any] | None]" = models.JSONField(
        null=True
    )
    variant = models.CharField(max_length=100)
    share = models.FloatField(null=True)
    full_since = models.DateTimeField(null=True)
    evaluated_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "flag_place"
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["flag", "environment"], name="one_place_a_flag")
        ]

    @property
    def is_off(self) -> bool:
        """Whether it was turned off here."""
        return self.off_at is not None

    @property
    def decided(self) -> Decided:
        """What lies over the definition."""
        shares = Shares(**self.exposure) if self.exposure else None
        return Decided(is_off=self.is_off, exposure=shares)


class Exposure(models.Model):
    """A variant reached more or fewer users: a release, without a deployment."""

    id = models.UUIDField(primary_key=True, default=new_id)
    service = models.CharField(max_length=40)
    environment = models.CharField(max_length=40)
    flag = models.CharField(max_length=100)
    variant = models.CharField(max_length=100)
    before = models.FloatField(null=True)
    after = models.FloatField(null=True)
    change = models.ForeignKey(Change, null=True, on_delete=models.PROTECT, related_name="+")
    by = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        db_table = "flag_exposure"
        ordering = ["-id"]
        indexes = [models.Index(fields=["service", "flag", "-id"])]


class FlagDocument(models.Model):
    """The flags of one environment in force, as one flagd file."""

    id = models.UUIDField(primary_key=True, default=new_id)
    service = models.CharField(max_length=40)
    environment = models.CharField(max_length=40)
    text = models.TextField()
    etag = models.CharField(max_length=32)
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "flag_document"
        constraints = [
            models.UniqueConstraint(fields=["service", "environment"], name="one_flag_document")
        ]
