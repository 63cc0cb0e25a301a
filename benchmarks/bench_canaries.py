"""The canary's verdict and what others decide on the same simulated traffic, and what it costs.

    python benchmarks/bench_canaries.py [--runs 2000] [--seed 1] [--workers 2]

Prints, for each rate of requests and of errors, how many releases each policy rolls back, after
how many seconds, and how many requests have failed by then beyond what the stable version would
have failed (medians); then how many good releases each rolls back under disturbances; then
whether the bounds hold. The peers are models of their published sources, not their binaries.
"""

import argparse
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from canaries.bounds import report
from canaries.ours import ours
from canaries.outcome import Figures, figures
from canaries.peers import PEERS
from canaries.traffic import Array, Disturbance, Fault, Traffic

from steerway.delivery.canaries.rules import judging
from steerway.delivery.canaries.rules.judging import Counts, Tick
from steerway.delivery.verdicts.rules import fleet
from steerway.delivery.verdicts.rules.evalues import dispersion
from steerway.delivery.verdicts.rules.plans import (
    CRASHES,
    ERRORS,
    LATENCY,
    REFUSALS,
    SATURATION,
    Plan,
    shared,
)
from steerway.delivery.verdicts.rules.terms import terms

RUNS: Final = 100  # for `make bench`; 2,000 for the claim
SEED: Final = 20_261_124
OURS: Final = "Steerway"
POLICIES: Final = (OURS, *PEERS)
PLACES: Final = tuple((rate, base) for rate in (20.0, 200.0, 2000.0) for base in (0.001, 0.01))
FAULTS: Final[dict[str, Fault | None]] = {
    "none": None,
    "errors x2": Fault("times", 2),
    "errors x5": Fault("times", 5),
    "5 % errors": Fault("errors", 0.05),
    "50 % errors": Fault("errors", 0.5),
    "100 % errors": Fault("errors", 1.0),
    "20 % slower": Fault("slow", 1.2),
    "2 x slower": Fault("slow", 2.0),
    "tail 2 x slower": Fault("tail", 2.0),
}
CALM: Final = Disturbance()
DISTURBED: Final = {
    "wave with spikes of 3 x": Disturbance(wave=True),
    "shared blips, errors x20": Disturbance(blip=20),
    "noise of 30 % by version": Disturbance(noise=0.3),
    "retry storms of 5": Disturbance(storm=5),
    "retry storms of 20": Disturbance(storm=20),
    "one client that always fails": Disturbance(client=0.01),
    "such a client, new": Disturbance(client=0.01, client_is_new=True),
    "wave, blips x5, noise 15 %, storms of 5": Disturbance(wave=True, blip=5, noise=0.15, storm=5),
}
DISTURBED_PLACES: Final = ((20.0, 0.001), (200.0, 0.01), (2000.0, 0.001))
HISTORY_SECONDS: Final = 900
HISTORY_RUNS: Final = 200
INSTANCES: Final = 4
ROLLOUTS: Final = 500
COST_SECONDS: Final = 60


@dataclass(frozen=True)
class Cell:
    """One policy on one kind of traffic."""

    policy: str
    rate: float
    base: float
    fault: str
    disturbed: str
    runs: int
    seed: int


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--runs", type=int, default=RUNS)
    wanted.add_argument("--seed", type=int, default=SEED)
    wanted.add_argument("--workers", type=int, default=2)
    asked = wanted.parse_args()
    cost()
    with ProcessPoolExecutor(asked.workers) as pool:
        clean = [
            Cell(policy, rate, base, fault, "", asked.runs, asked.seed)
            for rate, base in PLACES
            for fault in FAULTS
            for policy in POLICIES
        ]
        odd = [
            Cell(policy, rate, base, "none", name, asked.runs, asked.seed)
            for rate, base in DISTURBED_PLACES
            for name in DISTURBED
            for policy in POLICIES
            if policy != "Kayenta"  # three hours drawn second by second; its rate is clean's
        ]
        cells = [*clean, *odd]
        found = dict(zip(cells, pool.map(simulated, cells), strict=True))
    print(f"\n{asked.runs} releases a cell; seconds and failed requests are medians")
    for rate, base in PLACES:
        faults(found, rate, base)
    disturbances(found)
    report({(c.policy, c.rate, c.base, c.fault, c.disturbed): f for c, f in found.items()})


def simulated(cell: Cell) -> Figures:
    """The figures of one cell; the seed depends on the traffic and not on the policy."""
    names = (*FAULTS, *DISTURBED)
    place = names.index(cell.disturbed or cell.fault) * 1000 + int(cell.rate)
    seed = cell.seed + 10 * place + int(cell.base * 1000)
    odd = DISTURBED.get(cell.disturbed, CALM)
    traffic = Traffic(cell.rate, cell.base, FAULTS[cell.fault], odd, cell.runs, seed)
    if cell.policy == OURS:
        out = ours(traffic, clustering(traffic, seed + 5))
    else:
        out = PEERS[cell.policy](traffic)
    return figures(out, traffic)


def clustering(traffic: Traffic, seed: int) -> Array:
    """Phi of each release, from a quarter of an hour of four stable replicas before it.

    What swings for all replicas alike cancels in the estimate, so blips are left out here.
    """
    calm = replace(traffic.odd, blip=1.0, client=0.0)
    runs = min(traffic.runs, HISTORY_RUNS)
    past = Traffic(traffic.rate / INSTANCES, traffic.base, None, calm, runs * INSTANCES, seed)
    nothing = np.zeros(runs * INSTANCES)
    counts = np.array([past.second(nothing)[[5, 2]] for _ in range(HISTORY_SECONDS)])
    bad, trials = np.moveaxis(counts.reshape(HISTORY_SECONDS, 2, runs, INSTANCES), 0, -1)
    by_ten = [one.reshape(runs, INSTANCES, -1, 10).sum(-1) for one in (bad, trials)]
    phi = np.maximum(dispersion(bad, trials), dispersion(*by_ten))
    every = np.ones((traffic.runs, 1 + len(LATENCY)))
    every[:, 0] = np.resize(phi, traffic.runs)
    return every


def faults(found: dict[Cell, Figures], rate: float, base: float) -> None:
    print(f"\n{rate:,.0f} requests/s, {base:.1%} of them fail: rolled back, after, failed")
    heading(["fault", *POLICIES])
    for fault in FAULTS:
        cells = (f for c, f in found.items() if (c.rate, c.base, c.fault) == (rate, base, fault)
                 and not c.disturbed)  # fmt: skip
        line([fault, *(said(one, fault) for one in cells)])


def disturbances(found: dict[Cell, Figures]) -> None:
    print("\nGood releases that are rolled back under disturbances")
    shown = [one for one in POLICIES if one != "Kayenta"]
    heading(["requests/s, errors", "disturbance", *shown])
    for rate, base in DISTURBED_PLACES:
        for name in DISTURBED:
            cells = (f for c, f in found.items()
                     if (c.rate, c.base, c.disturbed) == (rate, base, name))  # fmt: skip
            line([f"{rate:,.0f}, {base:.1%}", name, *(f"{f.rolled_back:.2%}" for f in cells)])


def said(one: Figures, fault: str) -> str:
    if fault == "none":
        return f"{one.rolled_back:.2%}, 100 % after {one.promoted:,.0f} s"
    if not one.rolled_back:
        return "0 %"
    failed = "" if np.isnan(one.failed) or not one.failed else f" {one.failed:,.0f}"
    return f"{one.rolled_back:.0%} {one.seconds:,.0f} s{failed}"


def heading(cells: list[str]) -> None:
    line(cells)
    line(["---"] * len(cells))


def line(cells: Iterable[str]) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


def cost() -> None:
    """Processor time of judging 500 rollouts for a second, with the arrays and with words."""
    metrics = shared((ERRORS, *LATENCY, REFUSALS, CRASHES, SATURATION))
    plan = Plan(metrics=metrics, rate=200)
    found = terms([plan] * ROLLOUTS)
    state = fleet.begin(found)
    tick = Tick({one.name: Counts(10, 190, 0, 1) for one in metrics})
    second = judging.seconds([(plan, tick)] * ROLLOUTS)
    begun = time.process_time()
    for _ in range(COST_SECONDS):
        state, _ = fleet.step(found, state, second)
    arrays = (time.process_time() - begun) / COST_SECONDS
    state, begun = fleet.begin(found), time.process_time()
    for _ in range(COST_SECONDS):
        state, _ = judging.judge_all(found, state, [(plan, tick)] * ROLLOUTS)
    words = (time.process_time() - begun) / COST_SECONDS
    judgement, begun = judging.begin(plan), time.process_time()
    for _ in range(ROLLOUTS):
        judgement, _ = judging.judge(judgement, tick)
    alone = time.process_time() - begun
    print(f"{ROLLOUTS} rollouts of {len(metrics)} metrics, a second of data, of one core:")
    print(f"  {arrays:7.1%} as arrays        bound ≤ 10 %")
    print(f"  {words:7.1%} with verdicts in words and their evidence")
    print(f"  {alone:7.1%} one by one")


if __name__ == "__main__":
    main()
