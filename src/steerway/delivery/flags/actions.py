"""What is decided over a flag's definition: exposures, rollouts, and the switch."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from steerway.delivery.declarations import queries
from steerway.delivery.declarations.actions.publishing import Target, proposed, publish
from steerway.delivery.declarations.errors import RestUnclear
from steerway.delivery.declarations.models import Flag, Place
from steerway.delivery.declarations.rules import exposing
from steerway.delivery.declarations.rules.exposing import WHOLE
from steerway.delivery.exposures import actions as judging
from steerway.delivery.exposures import queries as judged
from steerway.delivery.flags.errors import (
    FlagIsOn,
    FlagOff,
    NothingOverFile,
    ShareInvalid,
    VariantUnknown,
)
from steerway.delivery.rollouts import actions as rollouts
from steerway.delivery.rollouts import queries as rolling
from steerway.delivery.rollouts.errors import NoRollout, RolloutRunning
from steerway.delivery.rollouts.models import Rollout
from steerway.delivery.rollouts.rules import Step
from steerway.planning.catalog import actions as services
from steerway.planning.catalog import queries as catalog
from steerway.planning.changes import actions as changes
from steerway.planning.changes import queries as held_by
from steerway.planning.changes.models import Change
from steerway.planning.changes.rules import Kind, State
from steerway.platform.work import Work


def expose(work: Work, target: Target, *, percent: float, variant: str = "") -> Place:
    """Give a variant to a share of the users that no rule decides about, from now on.

    It lies over the definition until it is restored.

    Raises:
        FlagOff: it was turned off.
        RolloutRunning: a rollout decides; stop that first.
        RestUnclear: its rule has no end that could be moved.
        Held: changes of the service are on hold.
    """
    work.allow("flags.change", on=target.service)
    place = _place(target)
    _refuse_off(place)
    running = rolling.running(target.service, place.environment, target.flag)
    if running is not None:
        raise RolloutRunning(
            flag=target.flag, environment=place.environment, change=running.change.ref
        )
    shares = _shares(place, percent=percent, variant=variant)
    summary = f"Expose {shares.variant} of {target.flag} to {percent:g} % in {place.environment}"
    change = _proposed(work, target, summary, Kind.FLAG, place)
    _expose(work, place, shares, change)
    changes.close(work, change, state=State.IMPLEMENTED, outcome=f"{percent:g} % have it.")
    return queries.place(place.flag, place.environment)


def turn_off(
    work: Work, target: Target, *, reason: str, evidence: Mapping[str, Any] | None = None
) -> Place:
    """Give everybody in an environment the variant that means off, at once.

    Holds and freezes do not stop it: it restores. Off already stays off. A verdict on a variant
    hands in what it saw as `evidence`.
    """
    work.allow("flags.turn-off", on=target.service)
    place = _place(target)
    if place.is_off:
        return place
    summary = f"Turn off {target.flag} in {place.environment}"
    intended = Target(target.service, target.flag, place.environment, why=reason)
    change = _proposed(work, intended, summary, Kind.ROLLBACK, place, evidence=evidence or {})
    _stop_rollout(work, place, reason=f"The flag was turned off: {reason}")
    Place.objects.filter(id=place.id).update(
        off_at=work.now,
        off_by=work.actor.name,
        off_reason=reason[:500],
        off_evidence=dict(evidence or {}),
    )
    _say(work, place, "turned-off", reason=reason, change=change.ref, evidence=dict(evidence or {}))
    publish(work, target.service, change)
    changes.close(work, change, state=State.IMPLEMENTED, outcome="Everybody has it off.")
    return queries.place(place.flag, place.environment)


def turn_on(work: Work, target: Target) -> Place:
    """Let a flag that was turned off follow its rules again, with the share it had.

    It is judged anew: what was seen of it before does not count.

    Raises:
        FlagIsOn: it is not off.
        Held: changes of the service are on hold.
    """
    work.allow("flags.change", on=target.service)
    place = _place(target)
    if not place.is_off:
        raise FlagIsOn(flag=target.flag, environment=place.environment)
    summary = f"Turn on {target.flag} in {place.environment}"
    change = _proposed(work, target, summary, Kind.FLAG, place)
    Place.objects.filter(id=place.id).update(off_at=None, off_by="", off_reason="", off_evidence={})
    judging.begin_anew(place)
    _say(work, place, "turned-on", change=change.ref)
    publish(work, target.service, change)
    changes.close(work, change, state=State.IMPLEMENTED, outcome="It follows its rules.")
    return queries.place(place.flag, place.environment)


def restore(work: Work, target: Target) -> Place:
    """Give up the exposure decided in Steerway, so that the definition holds again.

    Raises:
        NothingOverFile: it does.
        Held: changes of the service are on hold.
    """
    work.allow("flags.change", on=target.service)
    place = _place(target)
    if place.exposure is None:
        raise NothingOverFile(flag=target.flag, environment=place.environment)
    summary = f"Let the definition of {target.flag} hold in {place.environment}"
    change = _proposed(work, target, summary, Kind.FLAG, place)
    _stop_rollout(work, place, reason="The definition holds again.")
    Place.objects.filter(id=place.id).update(exposure=None)
    _say(work, place, "restored", change=change.ref)
    publish(work, target.service, change)
    changes.close(work, change, state=State.IMPLEMENTED, outcome="The definition holds.")
    return queries.place(place.flag, place.environment)


def roll_out(
    work: Work,
    target: Target,
    *,
    steps: Sequence[Step],
    variant: str = "",
    begins_at: datetime | None = None,
) -> Rollout:
    """Begin to give a variant to more users step by step; its change is open until the last one.

    Raises:
        FlagOff: it was turned off.
        RolloutRunning: it is being rolled out there already.
        RestUnclear: its rule has no end that could be moved.
        Held: changes of the service are on hold.
    """
    work.allow("flags.change", on=target.service)
    place = _place(target)
    _refuse_off(place)
    shares = _shares(place, percent=steps[-1].percent, variant=variant)
    said = ", ".join(map(str, steps))
    summary = f"Roll out {shares.variant} of {target.flag} in {place.environment}: {said}"
    change = _proposed(work, target, summary, Kind.FLAG, place)
    course = rollouts.Course(
        service=target.service,
        environment=place.environment,
        flag=target.flag,
        variant=shares.variant,
        steps=steps,
        begins_at=max(begins_at or work.now, work.now),
    )
    started = rollouts.start(work, course, change)
    if started.next_at is not None and started.next_at <= work.now:
        step(work, started)
    return started


def stop(work: Work, target: Target) -> None:
    """Have a rollout take no more steps; users keep what they have.

    Raises:
        NoRollout: none is running.
    """
    work.allow("flags.change", on=target.service)
    place = _place(target)
    reason = target.why or f"Stopped by {work.actor.name}."
    if not _stop_rollout(work, place, reason=reason):
        raise NoRollout(flag=target.flag, environment=place.environment)


def step(work: Work, rollout: Rollout) -> None:
    """Take the step of a rollout that is due, or note what it waits for. Taken once."""
    services.lock(rollout.service)
    flag = Flag.objects.filter(service=rollout.service, key=rollout.flag, retired_at=None).first()
    place = flag.places.filter(environment=rollout.environment).first() if flag else None
    if place is None or place.is_off:
        gone = "it is turned off" if place else "it is no longer declared"
        if rollouts.stop(work, rollout, reason=f"The flag: {gone}."):
            changes.close(work, rollout.change, state=State.CANCELLED, outcome=f"Stopped: {gone}.")
        return
    if reason := _brake(rollout.service) or judged.looks_worse(place):
        rollouts.wait(work, rollout, reason=reason)
        return
    coming = rollout.plan[rollout.position]
    try:
        shares = _shares(place, percent=coming.percent, variant=rollout.variant)
    except (RestUnclear, VariantUnknown) as error:
        if rollouts.stop(work, rollout, reason=str(error)):
            changes.close(work, rollout.change, state=State.FAILED, outcome=str(error))
        return
    if rollouts.advance(work, rollout) is None:
        return
    _expose(work, place, shares, rollout.change)
    if rollout.position == len(rollout.steps) - 1:
        outcome = f"{coming.percent:g} % have {rollout.variant}."
        changes.close(work, rollout.change, state=State.IMPLEMENTED, outcome=outcome)


def evaluated(work: Work, service: str, environment: str, keys: Sequence[str]) -> None:
    """Note that flags were asked for just now."""
    rows = Place.objects.filter(flag__service=service, flag__key__in=keys, flag__retired_at=None)
    rows.filter(environment=environment).update(evaluated_at=work.now)


def _place(target: Target) -> Place:
    service = catalog.get(target.service)
    environment = catalog.environment(service, target.environment)
    return queries.place(queries.get(service.name, target.flag), environment.name)


def _proposed(
    work: Work,
    target: Target,
    summary: str,
    kind: Kind,
    place: Place,
    *,
    evidence: Mapping[str, Any] | None = None,
) -> Change:
    facts = {"was": "off" if place.is_off else f"{place.share} % {place.variant}"}
    seen = {"evidence": dict(evidence)} if evidence else {}
    here = replace(target, environment=place.environment)
    return proposed(work, here, summary, kind, {**facts, **seen})


def _refuse_off(place: Place) -> None:
    if place.is_off:
        raise FlagOff(flag=place.flag.key, environment=place.environment, reason=place.off_reason)


def _shares(place: Place, *, percent: float, variant: str) -> exposing.Exposure:
    """The exposure that is asked for, if the flag's rule can follow it."""
    held = queries.file(place.flag.service)
    base = queries.defined(place.flag, place.environment, held=held)
    wanted = variant or place.variant
    if wanted not in base["variants"]:
        known = ", ".join(base["variants"])
        raise VariantUnknown(flag=place.flag.key, variant=wanted, known=known)
    if not 0 <= percent <= WHOLE:
        raise ShareInvalid(percent=percent)
    found = exposing.Exposure(wanted, exposing.rest_of(base, wanted), round(percent, 2))
    exposing.exposed(place.flag.key, base, found)
    return found


def _expose(work: Work, place: Place, shares: exposing.Exposure, change: Change) -> None:
    Place.objects.filter(id=place.id).update(exposure=shares.as_json())
    publish(work, place.flag.service, change)


def _stop_rollout(work: Work, place: Place, *, reason: str) -> bool:
    running = rolling.running(place.flag.service, place.environment, place.flag.key)
    if running is None or not rollouts.stop(work, running, reason=reason):
        return False
    changes.close(work, running.change, state=State.CANCELLED, outcome=reason)
    return True


def _brake(service: str) -> str:
    """What keeps a step from being taken now: automatic work goes no further under a brake."""
    found = catalog.get(service)
    if found.is_paused:
        return f"{service} is paused: {found.pause_reason}"
    for hold in held_by.open_holds([service])[:1]:
        return f"{hold.target} is on hold: {hold.reason} ({hold.ref})"
    return ""


def _say(work: Work, place: Place, what: str, **data: object) -> None:
    work.record(
        f"flag.{what}",
        place.flag.key,
        service=place.flag.service,
        environment=place.environment,
        **data,
    )
