"""Steps of a rollout, and where it is. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from steerway.delivery.rollouts.errors import StepsInvalid
from steerway.platform.descriptor.section import duration, duration_text

EVENTS: Final[Mapping[str, str]] = {
    "rollout.started": "A variant is to reach more users step by step; when.",
    "rollout.stepped": "A rollout has taken a step.",
    "rollout.waiting": "A step is due and waits; for what.",
    "rollout.done": "A rollout has taken its last step.",
    "rollout.stopped": "A rollout takes no more steps; what it reached stays, or the flag is off.",
}
STEPS_MAX: Final = 50
WHOLE: Final = 100.0
_STEP: Final = re.compile(r"(\d{1,3}(?:\.\d{1,2})?) ?%?(?:@(\w+))?")


class RolloutState(StrEnum):
    """Where a rollout in steps is."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Step:
    """A share to reach, and how long after the step before. Units: `percent` in 0..100."""

    percent: float
    wait: timedelta = timedelta(0)

    def __str__(self) -> str:
        """`50%@1h`, as it is typed."""
        return f"{self.percent:g}%" + (f"@{duration_text(self.wait)}" if self.wait else "")

    def as_json(self) -> dict[str, Any]:
        """The same, to be kept."""
        return {"percent": self.percent, "wait": duration_text(self.wait)}


def steps_of(text: str) -> tuple[Step, ...]:
    """The steps in `10%,50%@1h,100%@1d`: a share, and how long after the step before.

    Raises:
        StepsInvalid: they are not written that way, or do not rise.
    """
    found = [_step(one.strip()) for one in text.split(",")]
    percents = [one.percent for one in found]
    if percents != sorted(set(percents)) or not 0 < percents[-1] <= WHOLE:
        raise StepsInvalid(steps=text, problem="shares must rise, to at most 100 %")
    if len(found) > STEPS_MAX:
        raise StepsInvalid(steps=text[:60], problem=f"there are more than {STEPS_MAX}")
    return tuple(found)


def kept(steps: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Steps as `as_json` wrote them."""
    return tuple(Step(one["percent"], duration(one["wait"])) for one in steps)


def _step(text: str) -> Step:
    found = _STEP.fullmatch(text)
    try:
        if found:
            return Step(float(found[1]), duration(found[2]) if found[2] else timedelta(0))
    except ValueError:
        pass
    raise StepsInvalid(steps=text[:60], problem="a step is a share and a wait, such as 50%@1h")
