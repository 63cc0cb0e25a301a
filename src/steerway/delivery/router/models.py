"""The table of routes: who gets the traffic of a service in an environment."""

from typing import ClassVar

from django.db import models

from steerway.platform.db import new_id


class Route(models.Model):
    """One service in one environment. `shares` are percents by deployment, the stable one first."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    service = models.CharField(max_length=40)
    environment = models.CharField(max_length=40)
    is_last = models.BooleanField(help_text="Its environment is the last: it has the short name.")
    settings = models.JSONField(default=dict, help_text="The route section in force.")
    shares = models.JSONField(
        default=list, help_text='[{"deployment": id, "percent": 100}], "shadow"'
    )
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "route"
        ordering: ClassVar = ["service", "environment"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service", "environment"], name="one_route_a_place")
        ]

    def __str__(self) -> str:
        return f"{self.service}/{self.environment}"
