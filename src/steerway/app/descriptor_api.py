"""Planning and applying a descriptor over HTTP, mounted at `/api/services`."""

from ninja import Router

from steerway.app import descriptor, descriptor_advice
from steerway.app.descriptor_declared import declared
from steerway.planning.catalog import actions, queries
from steerway.planning.catalog.errors import OtherService
from steerway.planning.catalog.rules import Declared
from steerway.planning.catalog.wire import DescriptorIn, PlanOut
from steerway.platform.web.request import SteerwayRequest

router = Router(tags=["services"])


@router.post("/{name}/plan", response=PlanOut)
def plan(request: SteerwayRequest, name: str, body: DescriptorIn) -> PlanOut:
    """What applying the descriptor would change. A wrong one is answered with every mistake."""
    wanted, advice = read(name, body)
    return PlanOut.of(queries.plan(wanted), advice)


@router.put("/{name}", response=PlanOut)
def apply(request: SteerwayRequest, name: str, body: DescriptorIn) -> PlanOut:
    """Make the catalog say what the descriptor says. Applying it again changes nothing."""
    wanted, advice = read(name, body)
    return PlanOut.of(actions.apply(request.work, wanted).plan, advice)


def read(name: str, body: DescriptorIn) -> tuple[Declared, list[str]]:
    """What the descriptor declares, and what its author should know.

    Raises:
        DescriptorInvalid: with every mistake at once.
        OtherService: it is of another service than the address.
    """
    loaded = descriptor.load(body.text, body.file)
    if loaded.settings.service != name:
        raise OtherService(found=loaded.settings.service, service=name)
    advice = [*descriptor_advice.missing(loaded), *descriptor_advice.warnings(loaded)]
    return declared(loaded, directory=body.directory), [str(one) for one in advice]
