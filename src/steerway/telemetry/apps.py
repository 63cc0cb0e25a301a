"""The Django app of this area."""

from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    """The tables of `telemetry`."""

    name = "steerway.telemetry"
    label = "telemetry"
    default_auto_field = "django.db.models.BigAutoField"
