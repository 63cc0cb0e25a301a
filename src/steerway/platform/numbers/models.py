"""The table of series."""

from django.db import models


class Series(models.Model):
    """The last number given in one series."""

    name = models.CharField(primary_key=True, max_length=40)
    value = models.BigIntegerField(default=0)

    class Meta:
        db_table = "number_series"
