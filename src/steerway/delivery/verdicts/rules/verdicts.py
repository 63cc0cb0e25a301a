"""What comes out of a judgement: an answer, a move, why, and the evidence for a page."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Answer(StrEnum):
    """What is known of the canary."""

    BETTER = "better or equal"
    WORSE = "worse"
    NOT_ENOUGH = "not enough data"
    HOLD = "hold"


class Move(IntEnum):
    """What should be done about it."""

    STAY = 0
    ADVANCE = 1
    ROLL_BACK = 2
    HOLD = 3
    STEP_BACK = 4
    FINISH = 5


class Why(IntEnum):
    """What decided."""

    COLLECTING = 0
    PROVEN = 1
    TIME = 2
    BUDGET = 3
    DOWN = 4
    SUSPICION = 5
    BURN = 6
    STARVED = 7
    SILENCE = 8
    BAKE = 9
    BRAKE = 10


@dataclass(frozen=True, slots=True)
class MetricEvidence:
    """How close one metric is to which boundary. Logarithms are natural.

    At `boundary` this metric alone would roll back; at `gate_boundary` its gate is passed. Counts
    are of the stage; stable ones at 100 % are those of the time beside the canary.
    """

    name: str
    log_e: float
    boundary: float
    gate: float
    gate_boundary: float
    gate_needed: bool
    gate_passed: bool
    trials_canary: float
    bad_canary: float
    trials_stable: float
    bad_stable: float

    @property
    def nearness(self) -> float:
        """How far on the way to a rollback, 0..1."""
        return _part(self.log_e, self.boundary)

    @property
    def progress(self) -> float:
        """How far on the way through its gate, 0..1."""
        return 1.0 if self.gate_passed else _part(self.gate, self.gate_boundary)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known after one second: fit for storing and for drawing."""

    second: int
    stage: int
    percent: float
    answer: Answer
    move: Move
    why: Why
    log_e: float
    boundary: float
    metrics: tuple[MetricEvidence, ...]

    @property
    def nearness(self) -> float:
        """How far all metrics together are on the way to a rollback, 0..1."""
        return _part(self.log_e, self.boundary)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, what to do, and why in words, the deciding metric first."""

    answer: Answer
    move: Move
    why: Why
    percent: float  # of the traffic that the canary should have from now on, 0..100
    reasons: tuple[str, ...]
    evidence: Evidence


def _part(value: float, boundary: float) -> float:
    return min(max(value / boundary, 0.0), 1.0) if boundary > 0 else 0.0
