"""When is looked, and what is made of what the router counts."""

import pytest

from steerway.telemetry.collectors.rules.board import Board, Looked
from steerway.telemetry.collectors.rules.kinds import Deployed
from steerway.telemetry.collectors.rules.routed import namer
from steerway.telemetry.collectors.rules.timetable import Timetable
from steerway.telemetry.store import series_id
from tests.cast import NOON


def test_looks_are_regular_and_spread() -> None:
    table = Timetable()
    table.set({f"target {n}": 15.0 for n in range(100)}, 1000.0)

    first = [name for second in range(1000, 1015) for name in table.due(second + 1.0)]

    assert sorted(first) == sorted({f"target {n}" for n in range(100)})
    assert len(table.due(1016.0)) < 30


def test_a_look_that_comes_late_moves_none_after_it_and_is_not_made_up_for() -> None:
    table = Timetable()
    table.set({"host": 10.0}, 0.0)
    usual = table.next["host"]

    assert table.due(usual + 34.0) == ["host"]
    assert table.due(usual + 34.0) == []
    assert table.next["host"] == pytest.approx(usual + 40.0)


def test_what_is_new_is_looked_at_at_once_and_what_left_is_not() -> None:
    table = Timetable()
    table.set({"a": 60.0}, 0.0)
    table.soon(["a", "nobody"], 5.0)

    assert table.due(5.0) == ["a"]

    table.set({}, 6.0)
    assert table.due(500.0) == []
    assert table.wait(500.0) == 1.0


def test_other_looks_do_not_move_one() -> None:
    table = Timetable()
    table.set({"a": 15.0}, 0.0)
    before = table.next["a"]

    table.set({"a": 15.0, "b": 15.0}, 3.0)

    assert table.next["a"] == before


def test_the_board_counts_by_collector() -> None:
    board = Board()
    board.late("scrape two")
    board.note("scrape one", Looked("scrape", "one", NOON, 0.1, 5))
    board.note("scrape two", Looked("scrape", "two", NOON, 0.2, 0, "it is gone"))

    found = {one.metric: one.value for one in board.points()}

    assert found["steerway_collector_targets"] == 2
    assert found["steerway_collector_targets_failing"] == 1
    assert found["steerway_collector_late_total"] == 1
    board.forget("scrape two")
    assert [one.what for one in board.looks()] == ["one"]


KNOWN = {"shop-production-1": Deployed("shop", "production", "v2", "DEP-7")}
LINE = {"service": "shop", "environment": "production", "version": "shop-production-1"}


def test_the_router_speaks_of_versions_as_people_do() -> None:
    name = namer(series_id, KNOWN.get, {"job": "router"})

    found = name("envoy_req_requests", LINE | {"code": "503", "flags": "UC"})

    assert found is not None
    assert found.series.metric == "router_requests_total"
    assert found.series.labels == {
        "service": "shop",
        "environment": "production",
        "version": "v2",
        "deployment": "DEP-7",
        "code": "503",
        "flags": "UC",
        "job": "router",
    }


@pytest.mark.parametrize(
    ("metric", "ours", "factor"),
    [
        ("envoy_att_requests", "router_attempts_total", 1),
        ("envoy_req_duration_bucket", "router_request_duration_seconds_bucket", 1),
        ("envoy_att_duration_sum", "router_attempt_duration_seconds_sum", 0.001),
    ],
)
def test_durations_are_in_seconds(metric: str, ours: str, factor: float) -> None:
    found = namer(series_id, KNOWN.get, {})(metric, LINE | {"le": "2.5"})

    assert found is not None
    assert (found.series.metric, found.factor) == (ours, factor)
    assert found.series.labels["le"] == "0.0025"


def test_a_version_that_nobody_knows_keeps_the_name_that_the_router_gives() -> None:
    name = namer(series_id, KNOWN.get, {})

    unknown = name("envoy_req_requests", LINE | {"version": "shop-production-2"})
    nowhere = name("envoy_req_requests", {"service": "-", "version": "-", "code": "404"})

    assert unknown is not None
    assert nowhere is not None
    assert unknown.series.labels["version"] == "shop-production-2"
    assert nowhere.series.labels == {"code": "404"}
    assert name("envoy_other", {}) is None
