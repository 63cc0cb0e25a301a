"""What was added to counters, over replicas that come and go."""

import pytest

from steerway.delivery.exposures.rules.counting import (
    REPLICAS_MAX,
    Counted,
    counters,
    remembered,
    since,
)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({}, {}, Counted()),
        ({}, {"a": (3, 1, 9, 0)}, Counted(3, 1, 9, 0)),
        ({"a": (3, 1, 9, 0)}, {"a": (5, 1, 19, 2)}, Counted(2, 0, 10, 2)),
        ({"a": (3, 1, 9, 0)}, {"a": (2, 1, 4, 0)}, Counted(2, 1, 4, 0)),
        ({"a": (3, 1, 9, 0)}, {"b": (1, 0, 4, 0)}, Counted(1, 0, 4, 0)),
        ({"a": (3, 0, 9, 0), "b": (1, 0, 1, 0)}, {"b": (2, 1, 1, 0)}, Counted(1, 1)),
    ],
)
def test_what_was_added_survives_replicas_that_begin_at_zero(
    before: dict[str, tuple[int, ...]], now: dict[str, tuple[int, ...]], expected: Counted
) -> None:
    assert since(before, now) == expected


def test_a_replica_that_cannot_be_read_for_a_while_is_not_counted_twice() -> None:
    before = {"a": (100, 90, 100, 0)}

    kept = remembered(remembered(before, {}), {"b": (1, 0, 1, 0)})

    assert since(kept, {"a": (101, 90, 100, 0)}) == Counted(1)


def test_what_is_remembered_has_a_bound_and_what_is_there_goes_first() -> None:
    gone = {f"gone-{number}": (1, 0, 1, 0) for number in range(2 * REPLICAS_MAX)}

    kept = remembered(gone, {"here": (1, 0, 1, 0)})

    assert (len(kept), "here" in kept, "gone-799" in kept, "gone-0" in kept) == (
        REPLICAS_MAX, True, True, False,
    )  # fmt: skip


def test_requests_are_those_of_the_flag_and_its_two_variants() -> None:
    found = {
        "a": {"x": {"on": {"ok": 3, "error": 2}, "off": {"ok": 7}, "blue": {"ok": 9}}},
        "b": {"y": {"on": {"ok": 5}}},
        "c": {"x": {"on": {"ok": -5, "error": 1}}},
        "d": {"x": {"on": {"ok": 10**30, "error": 1}}},
    }

    assert counters(found, "x", "on", "off") == {
        "a": (5, 2, 7, 0),
        "c": (1, 1, 0, 0),
        "d": (1, 1, 0, 0),
    }
