"""The flag file that a descriptor names: planned and applied with it."""

from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from steerway.app.descriptor import ServiceFile
from steerway.delivery.declarations import queries as flags
from steerway.delivery.flagfiles.errors import FlagFileMissing
from steerway.delivery.flagfiles.rules.checking import FlagFile, load
from steerway.planning.catalog.rules import Plan
from steerway.planning.catalog.wire import DescriptorIn


@dataclass(frozen=True, slots=True)
class Flags:
    """The flag file of a service, if its descriptor names one."""

    service: str
    file: FlagFile | None


def flags_of(descriptor: ServiceFile, body: DescriptorIn) -> Flags:
    """The flag file that was sent with a descriptor.

    Raises:
        FlagFileMissing: the descriptor names one, and none was sent.
        FlagFileInvalid: it has mistakes.
    """
    settings = descriptor.settings
    if settings.flags.file is None:
        return Flags(settings.service, None)
    file = str(PurePosixPath(body.file).parent / settings.flags.file)
    if body.flags is None:
        raise FlagFileMissing(file=file)
    environments = [one.name for one in descriptor.environments]
    return Flags(settings.service, load(body.flags, file, environments))


def with_flags(plan: Plan, wanted: Flags) -> tuple[Plan, list[str]]:
    """The plan with what becomes different in the flags, and what stays decided over them."""
    found = flags.plan(wanted.service, wanted.file)
    kept = flags.decided_over(wanted.service) if found else []
    if not found:
        return plan, kept
    whole = replace(plan, is_changed=True, differences=(*plan.differences, *found))
    return whole, kept
