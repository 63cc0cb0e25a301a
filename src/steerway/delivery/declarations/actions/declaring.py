"""Which flags there are: those of the file that is applied, and those made in Steerway."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from steerway.delivery.declarations import queries
from steerway.delivery.declarations.actions.publishing import Target, proposed, publish
from steerway.delivery.declarations.errors import DefinedInFile
from steerway.delivery.declarations.models import Flag, FlagFile
from steerway.delivery.declarations.rules.states import Origin
from steerway.delivery.flagfiles.rules.checking import FlagFile as ReadFile
from steerway.delivery.flagfiles.rules.checking import check_flag
from steerway.planning.catalog import actions as services
from steerway.planning.catalog import queries as catalog
from steerway.planning.catalog.rules import Difference
from steerway.planning.changes import actions as changes
from steerway.planning.changes.rules import Kind, State
from steerway.platform.work import Work

DIFFERENCES_KEPT_MAX = 200


def apply(work: Work, service: str, wanted: ReadFile | None) -> list[Difference]:
    """Make a service's flags what its file says. Applying it again changes nothing.

    What was decided in Steerway lies over the file and stays. Who may is asked by who applies
    the descriptor that names the file.

    Raises:
        Held: changes of the service are on hold, and this takes effect at once.
    """
    services.lock(service)
    found = queries.plan(service, wanted)
    if not found:
        publish(work, service, None)
        return found
    intent = changes.Intent(
        kind=Kind.FLAG,
        service=service,
        summary=f"Apply flags of {service}: {len(found)} value{'s' * (len(found) != 1)}",
        facts={"differences": [str(one) for one in found[:DIFFERENCES_KEPT_MAX]]},
    )
    change = changes.propose(work, intent)
    keys = _write_file(work, service, wanted)
    gone = Flag.objects.filter(service=service, origin=Origin.FILE.value, retired_at=None)
    for flag in gone.exclude(key__in=keys):
        _retire(work, flag)
    publish(work, service, change)
    changes.close(work, change, state=State.IMPLEMENTED, outcome="In force now.")
    return found


def define(work: Work, target: Target, definition: Mapping[str, Any]) -> Flag:
    """Make a flag in Steerway, or give one that was made here another definition.

    Raises:
        FlagFileInvalid: it is not as a flag must be.
        DefinedInFile: a file defines it.
        Held: changes of the service are on hold.
    """
    work.allow("flags.change", on=target.service)
    service = catalog.get(target.service).name
    check_flag(target.flag, definition, queries.evaluators(service))
    old = Flag.objects.filter(service=service, key=target.flag, retired_at=None).first()
    if old is not None and old.origin == Origin.FILE:
        held = queries.file(service)
        raise DefinedInFile(flag=target.flag, file=held.file if held else "a file")
    verb = "Redefine" if old else "Make"
    change = proposed(work, target, f"{verb} flag {target.flag}", Kind.FLAG)
    flag = _declare(work, service, target.flag, definition, Origin.STEERWAY)
    publish(work, service, change)
    changes.close(work, change, state=State.IMPLEMENTED, outcome="In force now.")
    return flag


def retire(work: Work, target: Target) -> None:
    """Remove a flag that was made in Steerway; code that asks for it gets its own default.

    Raises:
        DefinedInFile: a file defines it.
        Held: changes of the service are on hold.
    """
    work.allow("flags.change", on=target.service)
    flag = queries.get(target.service, target.flag)
    if flag.origin == Origin.FILE:
        held = queries.file(target.service)
        raise DefinedInFile(flag=flag.key, file=held.file if held else "a file")
    change = proposed(work, target, f"Retire flag {flag.key}", Kind.FLAG)
    _retire(work, flag)
    publish(work, flag.service, change)
    changes.close(work, change, state=State.IMPLEMENTED, outcome="It is no longer declared.")


def _write_file(work: Work, service: str, wanted: ReadFile | None) -> list[str]:
    """The names of the flags that the file has now."""
    if wanted is None:
        FlagFile.objects.filter(service=service).delete()
        return []
    FlagFile.objects.update_or_create(
        service=service,
        defaults={
            "file": wanted.file,
            "text": wanted.text,
            "document": wanted.document,
            "written": wanted.written,
            "applied_at": work.now,
            "applied_by": work.actor.name,
        },
    )
    for key, definition in wanted.document["flags"].items():
        _declare(work, service, key, definition, Origin.FILE)
    return list(wanted.document["flags"])


def _declare(
    work: Work, service: str, key: str, definition: Mapping[str, Any], origin: Origin
) -> Flag:
    metadata = definition["metadata"]
    fields = {
        "origin": origin.value,
        "definition": dict(definition),
        "owner": str(metadata["owner"]).strip()[:200],
        "expires": date.fromisoformat(metadata["expires"]),
    }
    flag = Flag.objects.filter(service=service, key=key, retired_at=None).first()
    if flag is None:
        flag = Flag.objects.create(
            service=service,
            key=key,
            declared_at=work.now,
            declared_by=work.actor.name,
            **fields,
        )
        _say(work, flag, "declared")
    elif flag.definition != fields["definition"] or flag.origin != origin:
        Flag.objects.filter(id=flag.id).update(**fields)
        flag.refresh_from_db()
        _say(work, flag, "redeclared")
    return flag


def _retire(work: Work, flag: Flag) -> None:
    if Flag.objects.filter(id=flag.id, retired_at=None).update(retired_at=work.now):
        _say(work, flag, "retired")


def _say(work: Work, flag: Flag, what: str) -> None:
    work.record(
        f"flag.{what}",
        flag.key,
        service=flag.service,
        owner=flag.owner,
        expires=flag.expires.isoformat(),
        origin=flag.origin,
    )
