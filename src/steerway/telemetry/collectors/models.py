"""The table of paused collectors."""

from django.db import models


class PausedCollector(models.Model):
    """A collector that somebody has paused, and why."""

    name = models.CharField(max_length=40, primary_key=True)
    paused_at = models.DateTimeField()
    paused_by = models.CharField(max_length=200)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "paused_collector"
        ordering = ["name"]
