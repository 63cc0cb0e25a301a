"""The catalog over HTTP. Planning and applying a descriptor is in `app/descriptor_api.py`."""

from typing import Annotated

from ninja import Query, Router

from steerway.planning.catalog import actions, queries
from steerway.planning.catalog.wire import DescriptorOut, EnvironmentDetailOut, PauseIn, ServiceOut
from steerway.platform.descriptor.masking import masked_text
from steerway.platform.web.request import SteerwayRequest

router = Router(tags=["services"])


@router.get("", response=list[ServiceOut])
def all(
    request: SteerwayRequest,
    after: Annotated[str, Query(max_length=40)] = "",
    rows: Annotated[int, Query(ge=1, le=200)] = 100,
) -> list[ServiceOut]:
    """Services by name; `after` continues from the last one seen."""
    return [ServiceOut.of(service) for service in queries.all(after=after, rows=rows)]


@router.get("/{name}", response=ServiceOut)
def show(request: SteerwayRequest, name: str) -> ServiceOut:
    """One service."""
    return ServiceOut.of(queries.get(name))


@router.get("/{name}/descriptor", response=DescriptorOut)
def descriptor(request: SteerwayRequest, name: str) -> DescriptorOut:
    """The descriptor in force, as it was written; what looks like a secret is hidden."""
    service = queries.get(name)
    return DescriptorOut(file=service.file, text=masked_text(service.text))


@router.get("/{name}/environments/{environment}", response=EnvironmentDetailOut)
def environment(request: SteerwayRequest, name: str, environment: str) -> EnvironmentDetailOut:
    """What is in force in one environment; what looks like a secret is hidden."""
    return EnvironmentDetailOut.of(queries.environment(queries.get(name), environment))


@router.put("/{name}/pause", response=ServiceOut)
def pause(request: SteerwayRequest, name: str, body: PauseIn) -> ServiceOut:
    """Keep Steerway's hands off a service."""
    return ServiceOut.of(actions.pause(request.work, queries.get(name), reason=body.reason))


@router.delete("/{name}/pause", response=ServiceOut)
def resume(request: SteerwayRequest, name: str) -> ServiceOut:
    """Let Steerway look after a service again."""
    return ServiceOut.of(actions.resume(request.work, queries.get(name)))
