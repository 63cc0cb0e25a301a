"""Flags over HTTP. Evaluation has a door of its own: OFREP."""

import json
from typing import Annotated, Any

from ninja import Query, Router, Status

from steerway.delivery.declarations import queries
from steerway.delivery.declarations.actions import declaring
from steerway.delivery.declarations.actions.publishing import Target
from steerway.delivery.declarations.errors import FlagUnknown
from steerway.delivery.flags import actions
from steerway.delivery.flags.wire import (
    DebtOut,
    DefinitionIn,
    ExposureIn,
    FlagDetailOut,
    FlagOut,
    OffIn,
    PlaceOut,
    RolloutIn,
    RolloutOut,
)
from steerway.delivery.rollouts import queries as rolling
from steerway.delivery.rollouts.rules import steps_of
from steerway.platform.web.request import SteerwayRequest

router = Router(tags=["flags"])

Text = Annotated[str, Query(max_length=200)]
PLACE = "/{service}/{key}/{environment}"


@router.get("", response=list[FlagOut])
def newest(
    request: SteerwayRequest,
    service: Text = "",
    after: Text = "",
    rows: Annotated[int, Query(ge=1, le=500)] = 200,
) -> list[FlagOut]:
    """Flags by service and name; `after` is the `service/key` that a page ended with."""
    return [FlagOut.of(one) for one in queries.newest(service=service, after=after, rows=rows)]


@router.get("/debt", response=list[DebtOut])
def debt(request: SteerwayRequest, service: Text = "") -> list[DebtOut]:
    """Flags that should leave the code: expired, not evaluated, or with everybody for long."""
    return [DebtOut.of(one) for one in queries.in_debt(request.work.now, service=service)]


@router.get("/{service}/documents/{environment}", response=dict[str, Any])
def document(request: SteerwayRequest, service: str, environment: str) -> dict[str, Any]:
    """The flags of an environment in force, as one flagd file."""
    found = queries.document(service, environment)
    if found is None:
        raise FlagUnknown(service=service, flag="document")
    whole: dict[str, Any] = json.loads(found.text)
    return whole


@router.get("/{service}/{key}", response=FlagDetailOut)
def show(request: SteerwayRequest, service: str, key: str) -> FlagDetailOut:
    """One flag with its definition and its environments."""
    return FlagDetailOut.of(queries.get(service, key))


@router.put("/{service}/{key}", response=FlagDetailOut)
def define(request: SteerwayRequest, service: str, key: str, body: DefinitionIn) -> FlagDetailOut:
    """Make a flag in Steerway, or give one made here another definition."""
    target = Target(service, key, why=body.why, emergency=body.emergency)
    return FlagDetailOut.of(declaring.define(request.work, target, body.definition))


@router.delete("/{service}/{key}", response={204: None})
def retire(request: SteerwayRequest, service: str, key: str) -> Status[None]:
    """Remove a flag that was made in Steerway."""
    declaring.retire(request.work, Target(service, key))
    return Status(204, None)


@router.put(f"{PLACE}/exposure", response=PlaceOut)
def expose(
    request: SteerwayRequest, service: str, key: str, environment: str, body: ExposureIn
) -> PlaceOut:
    """Give a variant to a share of users from now on."""
    target = Target(service, key, environment, body.why, body.emergency)
    found = actions.expose(request.work, target, percent=body.percent, variant=body.variant)
    return PlaceOut.model_validate(found)


@router.delete(f"{PLACE}/exposure", response=PlaceOut)
def restore(request: SteerwayRequest, service: str, key: str, environment: str) -> PlaceOut:
    """Let the definition hold again."""
    found = actions.restore(request.work, Target(service, key, environment))
    return PlaceOut.model_validate(found)


@router.put(f"{PLACE}/off", response=PlaceOut)
def turn_off(
    request: SteerwayRequest, service: str, key: str, environment: str, body: OffIn
) -> PlaceOut:
    """Turn a flag off for everybody, at once; holds and freezes do not stop it."""
    target = Target(service, key, environment)
    return PlaceOut.model_validate(actions.turn_off(request.work, target, reason=body.reason))


@router.delete(f"{PLACE}/off", response=PlaceOut)
def turn_on(request: SteerwayRequest, service: str, key: str, environment: str) -> PlaceOut:
    """Let a flag that was turned off follow its rules again."""
    found = actions.turn_on(request.work, Target(service, key, environment))
    return PlaceOut.model_validate(found)


@router.get(f"{PLACE}/rollout", response=list[RolloutOut])
def rollouts(
    request: SteerwayRequest, service: str, key: str, environment: str
) -> list[RolloutOut]:
    """The rollouts of a flag in an environment, newest first."""
    found = rolling.of_flag(service, key)
    return [RolloutOut.of(one) for one in found if one.environment == environment]


@router.post(f"{PLACE}/rollout", response={201: RolloutOut})
def roll_out(
    request: SteerwayRequest, service: str, key: str, environment: str, body: RolloutIn
) -> Status[RolloutOut]:
    """Begin to give a variant to more users step by step."""
    target = Target(service, key, environment, body.why, body.emergency)
    begun = actions.roll_out(
        request.work,
        target,
        steps=steps_of(body.steps),
        variant=body.variant,
        begins_at=body.begins_at,
    )
    begun.refresh_from_db()
    return Status(201, RolloutOut.of(begun))


@router.delete(f"{PLACE}/rollout", response={204: None})
def stop(request: SteerwayRequest, service: str, key: str, environment: str) -> Status[None]:
    """Have a rollout take no more steps; users keep what they have."""
    actions.stop(request.work, Target(service, key, environment))
    return Status(204, None)
