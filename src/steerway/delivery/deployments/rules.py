"""Steps, states and names of deployments. Pure."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

EVENTS: Final[Mapping[str, str]] = {
    "deployment.requested": "Somebody asked for a deployment or a rollback.",
    "deployment.preflight-done": "Nothing stands in its way: space, secrets, variables.",
    "deployment.build-done": "Its release is built, or was before.",
    "deployment.install-done": "The files of its release are verified.",
    "deployment.configure-done": "Its replicas have names and ports.",
    "deployment.start-done": "Its replicas, or those of one wave, are started.",
    "deployment.verify-done": "They are healthy.",
    "deployment.switch-done": "They have their share of the traffic.",
    "deployment.judge-done": "It was judged beside what served before, and is no worse.",
    "deployment.drain-done": "Replicas of before have finished their requests and are stopped.",
    "deployment.retire-done": "What it replaced is put away, and old releases are removed.",
    "deployment.cancel-requested": "Somebody asked it to stop and undo what it started.",
    "deployment.succeeded": "It serves.",
    "deployment.unchanged": "The same release with the same configuration was serving already.",
    "deployment.rolled-back": "It was judged worse; what served before serves all again.",
    "deployment.failed": "It ended without serving; what served before still does.",
    "deployment.cancelled": "It was stopped before its switch; what served before still does.",
}


class Kind(StrEnum):
    """Forward, or back."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"


class Strategy(StrEnum):
    """How traffic moves: at once behind a full set, replica by replica, or as it is earned."""

    BLUE_GREEN = "blue-green"
    ROLLING = "rolling"
    CANARY = "canary"


class State(StrEnum):
    """Where a deployment is; only the first is not final."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    UNCHANGED = "unchanged"
    ROLLED_BACK = "rolled-back"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Step(StrEnum):
    """The steps, in order."""

    PREFLIGHT = "preflight"
    BUILD = "build"
    INSTALL = "install"
    CONFIGURE = "configure"
    START = "start"
    VERIFY = "verify"
    SWITCH = "switch"
    JUDGE = "judge"
    DRAIN = "drain"
    RETIRE = "retire"


class StepState(StrEnum):
    """How far one step is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


# Once per deployment, before and after the part that a rolling one repeats per replica.
ONCE_BEFORE: Final = (Step.PREFLIGHT, Step.BUILD, Step.INSTALL, Step.CONFIGURE)
PER_WAVE: Final = (Step.START, Step.VERIFY, Step.SWITCH, Step.DRAIN)
EARNED: Final = (Step.START, Step.VERIFY, Step.SWITCH, Step.JUDGE, Step.DRAIN)
# While one of these is ahead, what served before still runs and can have its traffic back.
MOVES: Final = frozenset({Step.SWITCH, Step.JUDGE})
ONCE_AFTER: Final = (Step.RETIRE,)


def waves(strategy: Strategy, replicas: int) -> list[list[int]]:
    """Which replicas start together: one after the other for rolling, else all."""
    every = list(range(replicas))
    if strategy is not Strategy.ROLLING or not every:
        return [every]
    return [[index] for index in every]


def itinerary(strategy: Strategy, replicas: int) -> list[tuple[Step, int]]:
    """Every step with the number of its wave, in the order they are taken."""
    count = len(waves(strategy, replicas))
    steps = EARNED if strategy is Strategy.CANARY else PER_WAVE
    middle = [(step, wave) for wave in range(count) for step in steps]
    return [(s, 0) for s in ONCE_BEFORE] + middle + [(s, 0) for s in ONCE_AFTER]


def is_settled(itinerary: Sequence[tuple[Step, int]], position: int) -> bool:
    """Whether all traffic has moved before the step at `position`.

    From there on nothing is taken back: the old replicas may be gone already.
    """
    return all(step not in MOVES for step, _ in itinerary[position:])


def share_percent(wave: int, wave_count: int) -> int:
    """Share of traffic the new release has after a wave: the part of its replicas that run."""
    return round(100 * (wave + 1) / wave_count)


def leaving(old: Sequence[int], wave: int, wave_count: int) -> list[int]:
    """Which old replicas, by index, stop after a wave: the same part of them, rounded down.

    So one is left for as long as the old release has a share of the traffic.
    """
    since, upto = len(old) * wave // wave_count, len(old) * (wave + 1) // wave_count
    return list(old[since:upto])


def deployment_ref(number: int) -> str:
    """How people call a deployment."""
    return f"DEP-{number}"
