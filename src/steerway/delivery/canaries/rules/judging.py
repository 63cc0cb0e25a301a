"""Judging one rollout: `judge(judgement, tick)` once a second, and its record.

A judgement is everything that is remembered. `stored` and `restored` carry it over a crash; a
second that was judged but not stored is judged again from the same counts with the same result.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from steerway.delivery.canaries.errors import RecordUnreadable
from steerway.delivery.canaries.rules.words import verdict
from steerway.delivery.verdicts.rules import fleet
from steerway.delivery.verdicts.rules.evalues import Array
from steerway.delivery.verdicts.rules.fleet import Moves, Second, State
from steerway.delivery.verdicts.rules.plans import Plan
from steerway.delivery.verdicts.rules.signals import Caller, Failing, Window
from steerway.delivery.verdicts.rules.terms import Terms, terms
from steerway.delivery.verdicts.rules.verdicts import Verdict

FORMAT: Final = 1
COUNTS: Final = 6  # of a metric in a second
NAMES: Final = State._fields


@dataclass(frozen=True, slots=True)
class Counts:
    """One second of one metric: trials and bad ones of both versions.

    `*_ok` are the bad ones by the acceptance edge, where it is another than the rollback edge.
    """

    trials_canary: float
    trials_stable: float
    bad_canary: float
    bad_stable: float
    bad_canary_ok: float | None = None
    bad_stable_ok: float | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """What one second showed. A metric that is missing was not looked at.

    `brake` says who or what keeps the rollout where it is (a pause, an approval not yet given);
    bad evidence still rolls back.
    """

    counts: Mapping[str, Counts]
    is_down: bool = False  # no replica of the canary answers though one of the stable version does
    brake: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One rollout: its plan, what is remembered of it, and who failed lately."""

    plan: Plan
    terms: Terms
    state: State
    failing: Failing

    @property
    def percent(self) -> float:
        """The share of the traffic that the canary should have, 0..100."""
        return 100 * self.plan.weights[int(self.state.stage[0])]


def begin(plan: Plan, phi: Mapping[str, float] | None = None) -> Judgement:
    """A rollout before its first second; `phi` says by metric how failures cluster."""
    found = terms([plan])
    values = np.array([[(phi or {}).get(one.name, 1.0) for one in plan.metrics]])
    return Judgement(plan, found, fleet.begin(found, values), Failing({}))


def judge(judgement: Judgement, tick: Tick) -> tuple[Judgement, Verdict]:
    """One second further, and what is known after it."""
    before = judgement.state
    second = seconds([(judgement.plan, tick)])
    after, moves = fleet.step(judgement.terms, before, second)
    counted = _counted(before, second)
    found = verdict(judgement.plan, counted, after, _first(moves), tick.brake)
    return replace(judgement, state=after), found


def judge_all(
    found: Terms, state: State, rollouts: Sequence[tuple[Plan, Tick]]
) -> tuple[State, list[Verdict]]:
    """`judge` for many rollouts in one pass; the state is of `fleet.begin(terms(plans))`."""
    second = seconds(rollouts)
    after, moves = fleet.step(found, state, second)
    counted = _counted(state, second)
    verdicts = [
        verdict(plan, _row(counted, at), _row(after, at), _first(moves, at), tick.brake)
        for at, (plan, tick) in enumerate(rollouts)
    ]
    return after, verdicts


def at_stage(judgement: Judgement, stage: int) -> Judgement:
    """The rollout at another stage, because a person said so; what is known stays known."""
    moved = fleet.moved_to(judgement.state, np.array([True]), np.array([stage]))
    moved = moved._replace(proven=np.zeros(1))
    if stage >= len(judgement.plan.stages):
        moved = fleet.frozen(judgement.terms, moved)
    return replace(judgement, state=moved)


def seconds(rollouts: Sequence[tuple[Plan, Tick]]) -> Second:
    """Ticks of many rollouts as arrays."""
    most = max(len(plan.metrics) for plan, _ in rollouts)
    counts = np.zeros((COUNTS, len(rollouts), most))
    for row, (plan, tick) in enumerate(rollouts):
        for column, metric in enumerate(plan.metrics):
            if (one := tick.counts.get(metric.name)) is not None:
                counts[:, row, column] = _six(one)
    down = np.array([tick.is_down for _, tick in rollouts])
    braked = np.array([bool(tick.brake) for _, tick in rollouts])
    canary, stable, bad, other, bad_ok, other_ok = counts
    return Second(canary, stable, bad, other, bad_ok, other_ok, down, braked)


def _six(one: Counts) -> tuple[float, ...]:
    canary, stable = one.bad_canary_ok, one.bad_stable_ok
    return (
        one.trials_canary,
        one.trials_stable,
        one.bad_canary,
        one.bad_stable,
        one.bad_canary if canary is None else canary,
        one.bad_stable if stable is None else stable,
    )


def _counted(state: State, second: Second) -> State:
    """The counts of the stage with this second, before a move begins them anew."""
    return state._replace(
        trials_canary=state.trials_canary + second.trials_canary,
        trials_stable=state.trials_stable + second.trials_stable,
        bad_canary=state.bad_canary + second.bad_canary,
        bad_stable=state.bad_stable + second.bad_stable,
    )


def _row(state: State, at: int) -> State:
    return State._make(one[at : at + 1] for one in state)


def _first(moves: Moves, at: int = 0) -> Moves:
    here = slice(at, at + 1)
    return Moves._make(one[here] for one in moves)


def stored(judgement: Judgement) -> bytes:
    """The judgement as bytes: a line of JSON that says what follows, then the numbers.

    Shape: about 2 kB for the metrics of the default plan.
    """
    state = judgement.state
    head = {
        "format": FORMAT,
        "metrics": [one.name for one in judgement.plan.metrics],
        "shapes": {name: getattr(state, name).shape for name in NAMES},
        "failing": [[*caller, seen] for caller, seen in judgement.failing.recent.items()],
    }
    numbers = b"".join(
        np.ascontiguousarray(getattr(state, name), dtype="<f8").tobytes() for name in NAMES
    )
    return json.dumps(head, separators=(",", ":")).encode() + b"\n" + numbers


def restored(plan: Plan, record: bytes) -> Judgement:
    """The judgement that `stored` gave.

    Raises:
        RecordUnreadable: it is of another plan, another format, or cut short.
    """
    line, _, numbers = record.partition(b"\n")
    try:
        head = json.loads(line)
    except ValueError as error:
        raise RecordUnreadable(problem="it does not begin as a record does") from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise RecordUnreadable(problem="it is of another version of Steerway")
    if head["metrics"] != [one.name for one in plan.metrics]:
        raise RecordUnreadable(problem="it has other metrics")
    found = terms([plan])
    state = _state(fleet.begin(found), head["shapes"], numbers)
    return Judgement(plan, found, state, _failing(head["failing"]))


def _state(empty: State, shapes: Mapping[str, Sequence[int]], numbers: bytes) -> State:
    wanted = {name: list(getattr(empty, name).shape) for name in NAMES}
    if shapes != wanted or len(numbers) != 8 * sum(int(np.prod(one)) for one in wanted.values()):
        raise RecordUnreadable(problem="it holds more or fewer numbers")
    values: dict[str, Array] = {}
    start = 0
    for name, shape in wanted.items():
        count = int(np.prod(shape))
        read = np.frombuffer(numbers, dtype="<f8", count=count, offset=start).reshape(shape)
        values[name] = read.astype(getattr(empty, name).dtype)
        start += 8 * count
    return State(**values)  # type: ignore[arg-type]  # the dtype is that of the field


def _failing(rows: Iterable[tuple[str, str, str, Window]]) -> Failing:
    recent: dict[Caller, Window] = {}
    for version, client, route, (minute, now, before) in rows:
        recent[version, client, route] = (minute, now, before)
    return Failing(recent)
