"""Secrets over HTTP: names come out, values only go in."""

from typing import Annotated

from django.conf import settings
from ninja import Path, Query, Router

from steerway.platform.keys import key
from steerway.platform.secrets import actions, queries
from steerway.platform.secrets.models import Secret
from steerway.platform.secrets.queries import Listed
from steerway.platform.secrets.wire import RotatedOut, SecretIn, SecretOut
from steerway.platform.web.request import SteerwayRequest

router = Router(tags=["secrets"])

SERVICE = r"^[a-z][a-z0-9-]{0,39}$"
Service = Annotated[str, Path(pattern=SERVICE)]
Environment = Annotated[str, Query(pattern=r"^([a-z][a-z0-9-]{0,39})?$")]


@router.get("", response=list[SecretOut])
def names(
    request: SteerwayRequest,
    service: Annotated[str, Query(max_length=60)] = "",
    environment: Annotated[str, Query(max_length=60)] = "",
) -> list[Listed]:
    """The secrets there are, without their values."""
    return queries.names(request.work, service=service, environment=environment)


@router.post("/rotation", response=RotatedOut)
def rotate(request: SteerwayRequest) -> RotatedOut:
    """Make a new key and seal every secret with it."""
    return RotatedOut(resealed=actions.rotate(request.work, home=settings.STEERWAY.home))


@router.put("/{service}/{name}", response=SecretOut)
def set_value(
    request: SteerwayRequest,
    service: Service,
    name: str,
    body: SecretIn,
    environment: Environment = "",
) -> Secret:
    """Set a secret of a service, in one environment or in all."""
    return actions.set_value(
        request.work,
        name,
        service=service,
        environment=environment,
        value=body.value.get_secret_value(),
        key=key(settings.STEERWAY.home, "secrets"),
    )


@router.delete("/{service}/{name}", response={204: None})
def remove(
    request: SteerwayRequest, service: Service, name: str, environment: Environment = ""
) -> None:
    """Forget a secret."""
    actions.remove(request.work, name, service=service, environment=environment)
