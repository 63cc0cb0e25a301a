"""Shapes of flags at the API."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from steerway.delivery.declarations.models import Flag, Place
from steerway.delivery.declarations.queries import Indebted
from steerway.delivery.exposures import queries as exposures
from steerway.delivery.exposures.queries import Standing
from steerway.delivery.rollouts.models import Rollout

Why = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Variant = Annotated[str, StringConstraints(max_length=100)]


class PlaceOut(BaseModel):
    """A flag in one environment; `share` is the percentage of `variant`, null when unknown."""

    environment: str
    variant: str
    share: float | None
    off_at: datetime | None
    off_by: str
    off_reason: str
    exposure: dict[str, Any] | None
    evaluated_at: datetime | None

    model_config = ConfigDict(from_attributes=True)


class FlagOut(BaseModel):
    """One flag."""

    service: str
    key: str
    origin: str
    description: str
    owner: str
    expires: date
    declared_at: datetime
    places: list[PlaceOut]

    @classmethod
    def of(cls, flag: Flag) -> "FlagOut":
        """The flag with its environments."""
        return cls(**_fields(flag))


class JudgedOut(BaseModel):
    """How a variant compares with the rest in one environment.

    `nearness` is 0..1 of the way to being turned off, `progress` to the proof that it is no worse.
    """

    environment: str
    state: str
    answer: str
    words: str
    variant: str
    rest: str
    requests: int
    failed: int
    requests_rest: int
    failed_rest: int
    nearness: float
    progress: float

    @classmethod
    def of(cls, environment: str, found: Standing) -> "JudgedOut":
        """The standing with its counts."""
        return cls(
            environment=environment,
            state=found.state,
            answer=found.answer,
            words=f"{found.title}. {found.words}" if found.state != "judging" else found.words,
            variant=found.variant,
            rest=found.rest,
            requests=found.seen.requests,
            failed=found.seen.failed,
            requests_rest=found.seen.requests_rest,
            failed_rest=found.seen.failed_rest,
            nearness=found.nearness,
            progress=found.progress,
        )


class FlagDetailOut(FlagOut):
    """One flag with its definition, and how its variants compare."""

    definition: dict[str, Any]
    judged: list[JudgedOut]

    @classmethod
    def of(cls, flag: Flag) -> "FlagDetailOut":
        """The flag with its environments and its definition."""
        found = {one.environment: exposures.standing(one) for one in flag.places.all()}
        judged = [JudgedOut.of(name, one) for name, one in found.items() if one is not None]
        return cls(**_fields(flag), definition=flag.definition, judged=judged)


class DebtOut(BaseModel):
    """A flag that should leave the code; why, by environment."""

    service: str
    key: str
    owner: str
    expires: date
    reasons: dict[str, list[str]]

    @classmethod
    def of(cls, found: Indebted) -> "DebtOut":
        """The flag and its reasons."""
        flag = found.flag
        reasons = {name: [str(one) for one in said] for name, said in found.reasons.items()}
        return cls(
            service=flag.service,
            key=flag.key,
            owner=flag.owner,
            expires=flag.expires,
            reasons=reasons,
        )


class RolloutOut(BaseModel):
    """A rollout in steps."""

    environment: str
    flag: str
    variant: str
    steps: list[str]
    position: int
    next_at: datetime | None
    state: str
    waits_for: str
    change: str

    @classmethod
    def of(cls, found: Rollout) -> "RolloutOut":
        """The rollout, its steps as they are typed."""
        return cls(
            environment=found.environment,
            flag=found.flag,
            variant=found.variant,
            steps=[str(one) for one in found.plan],
            position=found.position,
            next_at=found.next_at,
            state=found.state,
            waits_for=found.waits_for,
            change=found.change.ref,
        )


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    why: Why = ""
    emergency: bool = False


class DefinitionIn(_Asked):
    """A flag to be made in Steerway, as a flagd file would have it."""

    definition: dict[str, Any]


class ExposureIn(_Asked):
    """The share that a variant is to have of the users no rule decides about, in percent."""

    percent: float
    variant: Variant = ""


class RolloutIn(_Asked):
    """Steps such as `10%,50%@1h,100%@1d`, each after a wait; from now on, or from a moment."""

    steps: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    variant: Variant = ""
    begins_at: AwareDatetime | None = None


class OffIn(BaseModel):
    """Why a flag is turned off."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


def _fields(flag: Flag) -> dict[str, Any]:
    places: list[Place] = list(flag.places.all())
    return {
        "service": flag.service,
        "key": flag.key,
        "origin": flag.origin,
        "description": flag.description,
        "owner": flag.owner,
        "expires": flag.expires,
        "declared_at": flag.declared_at,
        "places": [PlaceOut.model_validate(one) for one in places],
    }
