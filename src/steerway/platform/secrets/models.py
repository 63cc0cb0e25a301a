"""The table of sealed values."""

from django.db import models

from steerway.platform.db import new_id

NAME_MAX = 64
TEXT_MAX = 200


class Secret(models.Model):
    """One value, sealed. An empty environment means all of them."""

    id = models.UUIDField(primary_key=True, default=new_id)
    name = models.CharField(max_length=NAME_MAX)
    service = models.CharField(max_length=NAME_MAX)
    environment = models.CharField(max_length=NAME_MAX, blank=True)
    sealed = models.TextField()
    version = models.PositiveIntegerField()
    updated_at = models.DateTimeField()
    updated_by = models.CharField(max_length=TEXT_MAX)

    class Meta:
        db_table = "secret"
        constraints = [
            models.UniqueConstraint(
                fields=["service", "environment", "name"], name="secret_one_of_a_name"
            )
        ]

    def __repr__(self) -> str:
        return f"<Secret {self.service}/{self.environment or '*'}/{self.name} v{self.version}>"
