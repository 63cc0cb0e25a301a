"""Reading secrets: their names, and their sealed texts for whoever starts a replica."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from steerway.platform.secrets.errors import SecretsMissing
from steerway.platform.secrets.models import Secret
from steerway.platform.work import Work

ROWS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Listed:
    """What may be seen of a secret."""

    name: str
    service: str
    environment: str
    version: int
    updated_at: datetime
    updated_by: str


def names(work: Work, *, service: str = "", environment: str = "") -> list[Listed]:
    """The secrets there are, of one service or environment if asked for, without values."""
    work.allow("secrets.list", on=service)
    rows = Secret.objects.order_by("service", "name", "environment")
    if service:
        rows = rows.filter(service=service)
    if environment:
        rows = rows.filter(environment__in=("", environment))
    columns = ("name", "service", "environment", "version", "updated_at", "updated_by")
    return [Listed(*row) for row in rows.values_list(*columns)[:ROWS_MAX]]


def sealed(service: str, environment: str, names: Mapping[str, str]) -> dict[str, str]:
    """By variable, the sealed text of the secret it names.

    A secret of the environment goes before one of all environments.

    Raises:
        SecretsMissing: with the names of all that are not set.
    """
    wanted = Secret.objects.filter(
        service=service, environment__in=("", environment), name__in=set(names.values())
    )
    # The empty environment sorts first, so the particular one overwrites it.
    found = {row.name: row.sealed for row in wanted.order_by("environment")}
    if missing := sorted(set(names.values()) - set(found)):
        raise SecretsMissing(service=service, environment=environment, names=", ".join(missing))
    return {variable: found[name] for variable, name in names.items()}
