"""A cell is green only when something was seen just now."""

from datetime import timedelta

import pytest

from steerway.telemetry.coverage.rules import (
    Expected,
    Layer,
    Place,
    Seen,
    Signal,
    Spot,
    State,
    grid,
    state,
    turns,
)
from tests.cast import NOON

SHOP = Place("shop", "production")
SECONDS = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("expected", "ago", "quiet", "found"),
    [
        (True, None, False, State.NEVER),
        (False, None, False, State.NOT_EXPECTED),
        (True, 0, False, State.FRESH),
        (True, -5, False, State.FRESH),  # a clock that runs ahead a little
        (True, 120, False, State.FRESH),
        (True, 121, False, State.STALE),
        (True, 121, True, State.QUIET),
        (True, 10_000_000, False, State.STALE),
        (False, 10, False, State.FRESH),
        (False, 121, False, State.NOT_EXPECTED),
    ],
)
def test_the_state_of_a_cell(expected: bool, ago: int | None, quiet: bool, found: State) -> None:
    seen_at = None if ago is None else NOON - ago * SECONDS

    assert state(is_expected=expected, seen_at=seen_at, now=NOON, is_quiet=quiet) is found


def cells(expected: Expected, seen: Seen) -> dict[tuple[Layer, Signal], State]:
    return {(one.layer, one.signal): one.state for one in grid(expected, seen, now=NOON)}


def test_a_grid_has_every_layer_and_every_signal() -> None:
    found = cells(Expected(SHOP), Seen({}))

    assert len(found) == len(Layer) * len(Signal)
    assert found[Layer.HOST, Signal.METRICS] is State.NEVER
    assert found[Layer.HOST, Signal.TRACES] is State.NOT_EXPECTED
    assert found[Layer.DATABASE, Signal.METRICS] is State.NOT_EXPECTED


def test_what_is_declared_is_expected() -> None:
    found = cells(Expected(SHOP, databases=1, suppliers=1), Seen({}))

    assert found[Layer.DATABASE, Signal.METRICS] is State.NEVER
    assert found[Layer.SUPPLIER, Signal.METRICS] is State.NEVER


def test_of_what_does_not_run_nothing_is_expected() -> None:
    found = cells(Expected(SHOP, is_running=False, scrapes=True, databases=1), Seen({}))

    assert set(found.values()) == {State.NOT_EXPECTED}


def test_a_program_without_a_port_is_not_behind_the_router() -> None:
    found = cells(Expected(SHOP, is_routed=False), Seen({}))

    assert found[Layer.ROUTER, Signal.METRICS] is State.NOT_EXPECTED
    assert found[Layer.PROCESS, Signal.LOGS] is State.NEVER


def test_silence_of_lines_and_spans_is_stale_only_while_there_are_requests() -> None:
    long_ago = NOON - timedelta(hours=1)
    last = {
        Spot(SHOP, Layer.ROUTER, Signal.LOGS): long_ago,
        Spot(SHOP, Layer.APPLICATION, Signal.TRACES): long_ago,
        Spot(SHOP, Layer.ROUTER, Signal.METRICS): long_ago,
    }

    idle = cells(Expected(SHOP), Seen(last))
    busy = cells(Expected(SHOP), Seen(last, frozenset([SHOP])))

    assert idle[Layer.ROUTER, Signal.LOGS] is State.QUIET
    assert idle[Layer.APPLICATION, Signal.TRACES] is State.QUIET
    assert idle[Layer.ROUTER, Signal.METRICS] is State.STALE
    assert busy[Layer.ROUTER, Signal.LOGS] is State.STALE
    assert busy[Layer.APPLICATION, Signal.TRACES] is State.STALE


def test_only_a_fresh_cell_looks_good() -> None:
    good = {one.state for one in grid(Expected(SHOP), Seen({}), now=NOON) if one.tone == "healthy"}
    last = {Spot(SHOP, Layer.HOST, Signal.METRICS): NOON}
    fresh = [one for one in grid(Expected(SHOP), Seen(last), now=NOON) if one.tone == "healthy"]

    assert good == set()
    assert [(one.layer, one.state) for one in fresh] == [(Layer.HOST, State.FRESH)]


def test_turns_are_to_stale_and_back() -> None:
    spots = [Spot(SHOP, Layer.HOST, signal) for signal in Signal]
    before = dict(zip(spots, (State.FRESH, State.STALE, State.NEVER), strict=True))
    now = dict(zip(spots, (State.STALE, State.FRESH, State.FRESH), strict=True))

    assert dict(turns(before, now)) == {spots[0]: State.STALE, spots[1]: State.FRESH}
    assert dict(turns({}, {spots[0]: State.STALE})) == {spots[0]: State.STALE}
    assert dict(turns(now, now)) == {}
