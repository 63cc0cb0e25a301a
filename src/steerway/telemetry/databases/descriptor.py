"""The `telemetry.databases` section."""

from typing import Self

from pydantic import Field, model_validator

from steerway.platform.descriptor.section import Name, Section


class ObservedDatabaseSection(Section):
    """A database whose size, connections and slow statements are looked at."""

    name: Name = Field(description="What people call it; the label `database` of its series.")
    url_secret: Name | None = Field(
        default=None,
        description="Secret that holds the postgresql:// address of a PostgreSQL database. Its "
        "user needs the role pg_monitor to see everything.",
    )
    path: str | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        pattern=r"^[^\n]+$",
        description="File of an SQLite database, counted from the directory `data` of the service.",
    )

    @model_validator(mode="after")
    def is_one_database(self) -> Self:
        """It is reached in one way."""
        if (self.url_secret is None) == (self.path is None):
            raise ValueError("give either url_secret or path")
        return self
