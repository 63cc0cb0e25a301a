"""The Django app of this area."""

from django.apps import AppConfig


class PlanningConfig(AppConfig):
    """The tables of `planning`."""

    name = "steerway.planning"
    label = "planning"
    default_auto_field = "django.db.models.BigAutoField"
