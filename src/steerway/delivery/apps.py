"""The Django app of this area."""

from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    """The tables of `delivery`."""

    name = "steerway.delivery"
    label = "delivery"
    default_auto_field = "django.db.models.BigAutoField"
