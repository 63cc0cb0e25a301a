"""The router's counters of two versions, second by second."""

from steerway.delivery.analyses.rules.comparing import Comparison, Look, compared, places
from steerway.delivery.canaries.rules.judging import Tick
from steerway.delivery.router.rules import PACE_EDGES_MS, Signals

QUICK = [20] * 500 + [90] * 450 + [700] * 50


def signals(durations_ms: list[int], failed: int = 0, refused: int = 0, active: int = 0) -> Signals:
    return Signals(
        ended=len(durations_ms),
        failed=failed,
        refused=refused,
        not_above=tuple(sum(d <= edge for d in durations_ms) for edge in PACE_EDGES_MS),
        active=active,
        healthy=1,
        replicas=1,
    )


def watched(*seconds: tuple[Signals, Signals]) -> list[Tick]:
    """The ticks of seconds 0, 1, 2…: canary, stable."""
    comparison, ticks = Comparison(), []
    for at, (canary, stable) in enumerate(seconds):
        comparison, tick = compared(comparison, Look(at, canary), Look(at, stable))
        ticks.append(tick)
    return ticks


def test_the_first_look_shows_nothing_and_the_next_what_was_added() -> None:
    first, second = watched(
        (signals([20] * 5, failed=2), signals(QUICK)),
        (signals([20] * 8, failed=3, refused=1), signals([*QUICK, 20, 20], refused=1)),
    )

    assert first.counts["errors"].trials_canary == 0
    errors, refusals = second.counts["errors"], second.counts["http_4xx"]
    assert (errors.trials_canary, errors.bad_canary) == (3, 1)
    assert (errors.trials_stable, errors.bad_stable) == (2, 0)
    assert (refusals.bad_canary, refusals.bad_stable) == (1, 1)


def test_a_canary_is_slow_from_the_edge_after_the_one_of_the_stable_version() -> None:
    p50 = PACE_EDGES_MS[places(signals(QUICK))[0]]
    above = PACE_EDGES_MS[places(signals(QUICK))[0] + 1]
    _, second = watched(
        (signals([]), signals(QUICK)),
        (signals([above, above + 1, 5]), signals([*QUICK, p50, p50 + 1, p50 + 1])),
    )

    slow = second.counts["slow_p50"]
    assert (slow.trials_canary, slow.bad_canary) == (3, 1)
    assert (slow.trials_stable, slow.bad_stable) == (3, 2)


def test_a_version_that_hangs_is_slow_before_a_single_request_has_ended() -> None:
    stable = signals(QUICK)
    hanging = [signals([], active=10 * at) for at in range(5)]
    ticks = watched(*((one, stable) for one in hanging))

    p99 = [tick.counts["slow_p99"].bad_canary for tick in ticks if "slow_p99" in tick.counts]
    assert sum(p99) == 30  # those that began more than 740 ms ago


def test_a_request_seen_in_flight_is_not_counted_again_when_it_ends() -> None:
    stable = signals(QUICK)
    ticks = watched(
        (signals([]), stable),
        (signals([], active=4), stable),
        (signals([], active=4), stable),
        (signals([1900] * 4), stable),
        (signals([1900] * 4), stable),
    )

    slow = [tick.counts["slow_p50"] for tick in ticks if "slow_p50" in tick.counts]
    assert sum(one.bad_canary for one in slow) == sum(one.trials_canary for one in slow) == 4


def test_without_enough_requests_of_the_stable_version_nothing_is_called_slow() -> None:
    ticks = watched((signals([]), signals([20] * 99)), (signals([900]), signals([20] * 99)))

    assert "slow_p50" not in ticks[-1].counts


def test_a_new_router_begins_to_count_again_and_invents_nothing() -> None:
    _, second, third = watched(
        (signals([20] * 50, failed=9), signals(QUICK)),
        (signals([20] * 2, failed=1), signals([20] * 3)),
        (signals([20] * 4, failed=1), signals([20] * 9)),
    )

    assert second.counts["errors"].trials_canary == 0
    assert (third.counts["errors"].trials_canary, third.counts["errors"].bad_canary) == (2, 0)


def test_a_canary_without_a_healthy_replica_is_down_while_the_stable_one_has_some() -> None:
    nobody = Signals(replicas=1)

    assert watched((nobody, signals(QUICK)))[0].is_down
    assert not watched((nobody, nobody))[0].is_down
