"""The Django app of this area."""

from django.apps import AppConfig


class ControlConfig(AppConfig):
    """The tables of `control`."""

    name = "steerway.control"
    label = "control"
    default_auto_field = "django.db.models.BigAutoField"
