"""What a body of OTLP metrics held, and what is known of its series."""

from dataclasses import dataclass, field
from typing import Any, Final

from steerway.telemetry.decoding.attributes import Origin
from steerway.telemetry.decoding.columns import Gathered
from steerway.telemetry.decoding.natives import Natives
from steerway.telemetry.ingest.rules.limits import Refusals
from steerway.telemetry.ingest.rules.samples import Series

NO_VALUE: Final = 1  # the flag of a point that says: this series has ended


@dataclass(slots=True)
class Context:
    """One metric of one origin, and the series of it that are known."""

    name: str
    origin: Origin
    is_delta: bool
    ids: dict[Any, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Metrics:
    """What a body holds."""

    gathered: Gathered
    natives: Natives = field(default_factory=Natives)
    metadata: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    refusals: Refusals = field(default_factory=Refusals)
    deltas: list[tuple[Series, int, float]] = field(default_factory=list)
