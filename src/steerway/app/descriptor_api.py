"""Planning and applying a descriptor over HTTP: more of `/api/services`.

One router holds both, because an address has one place.
"""

from steerway.app import descriptor, descriptor_advice
from steerway.app.descriptor_declared import declared
from steerway.app.descriptor_flags import Flags, flags_of, with_flags
from steerway.delivery.declarations.actions import declaring
from steerway.planning.catalog import actions, queries
from steerway.planning.catalog import api as catalog
from steerway.planning.catalog.errors import OtherService
from steerway.planning.catalog.rules import Declared
from steerway.planning.catalog.wire import DescriptorIn, PlanOut
from steerway.planning.changes import actions as changes
from steerway.planning.changes.rules import Kind
from steerway.platform.web.request import SteerwayRequest
from steerway.platform.work import Work

# More would not be read; the log has the count.
DIFFERENCES_KEPT_MAX = 200

router = catalog.router


@router.post("/{name}/plan", response=PlanOut)
def plan(request: SteerwayRequest, name: str, body: DescriptorIn) -> PlanOut:
    """What applying the descriptor would change. A wrong one is answered with every mistake."""
    request.work.allow("records.read", on=name)
    wanted, flags, advice = read(name, body)
    plan, more = with_flags(queries.plan(wanted), flags)
    return PlanOut.of(plan, advice + more)


@router.put("/{name}", response=PlanOut)
def apply(request: SteerwayRequest, name: str, body: DescriptorIn) -> PlanOut:
    """Make the catalog say what the descriptor says. Applying it again changes nothing."""
    wanted, flags, advice = read(name, body)
    plan, more = with_flags(queries.plan(wanted), flags)
    _apply(request.work, wanted)
    declaring.apply(request.work, wanted.name, flags.file)
    return PlanOut.of(plan, advice + more)


def read(name: str, body: DescriptorIn) -> tuple[Declared, Flags, list[str]]:
    """What the descriptor and its flag file declare, and what their author should know.

    Raises:
        DescriptorInvalid: with every mistake at once.
        FlagFileInvalid: the same, of the flag file.
        FlagFileMissing: the descriptor names one that was not sent.
        OtherService: it is of another service than the address.
    """
    loaded = descriptor.load(body.text, body.file)
    if loaded.settings.service != name:
        raise OtherService(found=loaded.settings.service, service=name)
    advice = [*descriptor_advice.missing(loaded), *descriptor_advice.warnings(loaded)]
    wanted = declared(loaded, directory=body.directory)
    return wanted, flags_of(loaded, body), [str(one) for one in advice]


def _apply(work: Work, wanted: Declared) -> None:
    """Apply, and keep what was different as a change."""
    plan = actions.apply(work, wanted).plan
    if plan.is_changed:
        count = len(plan.differences)
        intent = changes.Intent(
            kind=Kind.DESCRIPTOR,
            service=wanted.name,
            summary=f"{'Declare' if plan.is_new else 'Redeclare'} {wanted.name}: "
            f"{count} value{'s' * (count != 1)}",
            facts={"differences": [str(one) for one in plan.differences[:DIFFERENCES_KEPT_MAX]]},
        )
        changes.note(work, intent, outcome="It is in force from the next deployment on.")
