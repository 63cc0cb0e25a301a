"""Steerway's verdict on simulated traffic: `fleet.step` each second, and a second to act."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from canaries.outcome import Outcome
from canaries.traffic import MEDIAN_MS, SIGMA, TAIL, Array, Fault, Traffic
from scipy.special import ndtr

from steerway.delivery.verdicts.rules import fleet
from steerway.delivery.verdicts.rules.fleet import Second, State
from steerway.delivery.verdicts.rules.plans import ERRORS, LATENCY, Plan
from steerway.delivery.verdicts.rules.signals import EDGES_MS, GROWTH
from steerway.delivery.verdicts.rules.terms import Terms, terms
from steerway.delivery.verdicts.rules.verdicts import Move

SECONDS_MAX: Final = 3000
EDGES: Final = [float(EDGES_MS[MEDIAN_MS * np.exp(SIGMA * z) <= EDGES_MS][0])
                for z in (0.0, 1.2815515655, 2.3263478740)]  # fmt: skip


def ours(traffic: Traffic, phi: float = 1.0) -> Outcome:
    """What becomes of each release. Those that have ended are not drawn any more."""
    plan = Plan(metrics=(ERRORS, *LATENCY), rate=traffic.rate)
    found = terms([plan] * traffic.runs)
    state = fleet.begin(found, phi)
    out = Outcome.empty(traffic.runs)
    rows = np.arange(traffic.runs)
    carried = fleet.weight(found, state)  # the router carries a change out a second later
    everywhere = carried.copy()
    while len(rows) and traffic.at < SECONDS_MAX:
        everywhere[rows] = carried
        counts = traffic.second(everywhere)[:, rows]
        out.failed[rows] += counts[1]
        carried = fleet.weight(found, state)
        before = state.stage
        state, moves = fleet.step(found, state, _second(traffic, counts))
        at_top = (before < found.top) & (state.stage >= found.top)
        out.promoted_at[rows[at_top]] = traffic.at + 1
        gone = moves.move == Move.ROLL_BACK
        out.roll_back(rows[gone], traffic, carried[gone])
        out.stepped_back[rows[moves.move == Move.STEP_BACK]] = True
        if (ended := gone | (moves.move == Move.FINISH)).any():
            rows, carried = rows[~ended], carried[~ended]
            found, state = _left(found, state, ~ended)
    return out


def _left(found: Terms, state: State, which: Array) -> tuple[Terms, State]:
    return Terms(*(one[which] for one in found)), State(*(one[which] for one in state))


def _second(traffic: Traffic, counts: Array) -> Second:
    """Errors, and slow ones at the edges; failures as the client discount leaves them."""
    canary, _, stable, _, bad, other = counts
    mine = list(_chain(traffic, canary, traffic.fault, (GROWTH, GROWTH**2)))
    theirs = list(_chain(traffic, stable, None, (1.0,)))
    nobody = np.zeros(len(canary), dtype=bool)
    trials = [np.repeat(one[:, None], 4, axis=1) for one in (canary, stable)]
    slow = np.column_stack([bad, mine[0], mine[2], mine[4]])
    accepted = np.column_stack([bad, mine[1], mine[3], mine[5]])
    others = np.column_stack([other, *theirs])
    return Second(trials[0], trials[1], slow, others, accepted, others, nobody, nobody)


def _chain(
    traffic: Traffic, requests: Array, fault: Fault | None, times: tuple[float, ...]
) -> Iterator[Array]:
    """How many are slower than each edge, from the lowest on: what is slower than a later edge
    is slower than the one before, so each count is drawn from the last.
    """  # noqa: D205 -- one thought
    left, chance = requests.astype(int), 1.0
    for edge in EDGES:
        for growth in times:
            beyond = _slower(edge * growth, fault)
            left = traffic.slow.binomial(left, min(beyond / chance, 1.0))
            chance = beyond
            yield left.astype(float)


def _slower(edge: float, fault: Fault | None) -> float:
    """The chance that a request takes longer than an edge."""

    def plain(limit: float) -> float:
        return float(1 - ndtr(np.log(limit / MEDIAN_MS) / SIGMA))

    if fault and fault.kind == "slow":
        return plain(edge / fault.size)
    if fault and fault.kind == "tail":
        return max(plain(edge), min(plain(edge / fault.size), 1 - TAIL))
    return plain(edge)
