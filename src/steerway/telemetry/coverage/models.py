"""The table of cells that have ever been seen."""

from django.db import models


class CoverageCell(models.Model):
    """How a cell is, as of its last turn; `seen_at` is what was known then."""

    service = models.CharField(max_length=40)
    environment = models.CharField(max_length=40)
    layer = models.CharField(max_length=20)
    signal = models.CharField(max_length=20)
    state = models.CharField(max_length=20)
    seen_at = models.DateTimeField(null=True)
    turned_at = models.DateTimeField()

    class Meta:
        db_table = "coverage_cell"
        ordering = ["service", "environment", "layer", "signal"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "environment", "layer", "signal"], name="one_cell_a_spot"
            )
        ]
