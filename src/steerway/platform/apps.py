"""The Django app of this area."""

from django.apps import AppConfig


class PlatformConfig(AppConfig):
    """Settings, log, identity, secrets."""

    name = "steerway.platform"
    label = "platform"
    default_auto_field = "django.db.models.BigAutoField"
