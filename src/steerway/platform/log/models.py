"""The table of events, and the row that names the newest."""

from django.db import models

from steerway.platform.log.rules import GENESIS, moment, seal

TEXT_MAX = 200


class Event(models.Model):
    """One entry of the log."""

    seq = models.BigIntegerField(primary_key=True)
    id = models.UUIDField(unique=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=TEXT_MAX)
    type = models.CharField(max_length=TEXT_MAX)
    subject = models.CharField(max_length=TEXT_MAX)
    service = models.CharField(max_length=TEXT_MAX, blank=True)
    environment = models.CharField(max_length=TEXT_MAX, blank=True)
    data = models.TextField()
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        db_table = "log_event"
        ordering = ["seq"]
        indexes = [
            models.Index(fields=["service", "seq"]),
            models.Index(fields=["service", "type", "seq"]),
            models.Index(fields=["subject", "seq"]),
            models.Index(fields=["type", "seq"]),
            models.Index(fields=["actor", "seq"]),
            models.Index(fields=["actor", "type", "seq"]),
            models.Index(fields=["at"]),
        ]

    def sealed(self) -> str:
        """The hash this entry must have, computed from what is stored."""
        entry: dict[str, str | int] = {
            "seq": self.seq,
            "id": str(self.id),
            "at": moment(self.at),
            "actor": self.actor,
            "type": self.type,
            "subject": self.subject,
            "service": self.service,
            "environment": self.environment,
            "data": self.data,
        }
        return seal(self.previous, entry)


class Head(models.Model):
    """The number and hash of the newest entry; writers queue at its row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=GENESIS)

    class Meta:
        db_table = "log_head"
