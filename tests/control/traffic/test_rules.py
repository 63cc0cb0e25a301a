"""What the router's counters say about the last minutes."""

from datetime import timedelta

from steerway.control.traffic.rules import (
    FLOWS_MAX,
    LOOKS_MAX,
    Flow,
    Look,
    Rate,
    Tally,
    Window,
    flows,
    moved,
    rates,
    totals,
)
from steerway.delivery.router.rules import Count
from tests.cast import NOON

V1 = Flow("shop", "production", "v1")
V2 = Flow("shop", "production", "v2")
SECOND = timedelta(seconds=1)


def count(requests: int, code: int = 200, kind: str = "request", version: str = "v1") -> Count:
    return Count(kind, "shop", "production", version, code, "", requests)


def look(second: int, *, begins: bool = False, **versions: tuple[int, int]) -> Look:
    found = {Flow("shop", "production", v): Tally(*tally) for v, tally in versions.items()}
    return Look(NOON + second * SECOND, found, begins=begins)


def test_only_server_errors_and_no_answer_are_failures_and_attempts_are_not_counted() -> None:
    counts = [count(90), count(5, 404), count(3, 503), count(2, 0), count(50, 503, "attempt")]

    assert totals(counts) == {V1: Tally(100, 5)}


def test_what_was_answered_is_the_difference() -> None:
    assert moved({V1: Tally(100, 5)}, {V1: Tally(130, 6), V2: Tally(10)}) == {
        V1: Tally(30, 1),
        V2: Tally(10),
    }


def test_a_flow_without_a_request_is_absent() -> None:
    assert moved({V1: Tally(100, 5)}, {V1: Tally(100, 5)}) == {}


def test_counters_that_went_back_began_again_at_zero() -> None:
    assert moved({V1: Tally(100, 5)}, {V1: Tally(8, 1)}) == {V1: Tally(8, 1)}


def test_the_busiest_flows_are_kept_when_there_are_too_many() -> None:
    now = {Flow(f"s{n}", "production", "v1"): Tally(n + 1) for n in range(FLOWS_MAX + 10)}

    found = moved({}, now)

    assert len(found) == FLOWS_MAX
    assert Flow("s0", "production", "v1") not in found


def test_a_rate_is_that_of_the_last_seconds() -> None:
    looks = [look(0, begins=True), look(1, v1=(2, 0)), look(2, v1=(4, 0)), look(3, v1=(6, 3))]

    assert rates(looks, V1) == [None, Rate(2.0, 0.0), Rate(3.0, 0.0), Rate(4.0, 0.25)]


def test_silence_is_a_rate_of_zero_and_no_failed_share() -> None:
    looks = [look(0, begins=True), look(1, v1=(2, 0)), *(look(n) for n in range(2, 6))]

    assert rates(looks, V1)[-1] == Rate(0.0, None)


def test_a_version_has_no_rate_before_its_first_request() -> None:
    looks = [look(0, begins=True), look(1, v1=(2, 0)), look(2, v1=(2, 0), v2=(4, 0))]

    assert rates(looks, V2)[:2] == [None, None]
    assert rates(looks, V2)[2] == Rate(2.0, 0.0)


def test_a_gap_is_no_rate_and_not_averaged_over() -> None:
    looks = [
        look(0, begins=True),
        look(1, v1=(9, 0)),
        look(4, begins=True),
        look(5, v1=(1, 0)),
    ]

    assert rates(looks, V1) == [None, Rate(9.0, 0.0), None, Rate(1.0, 0.0)]


def test_the_flows_of_a_service_come_in_the_order_of_their_first_request() -> None:
    other = Look(NOON, {Flow("ledger", "production", "v9"): Tally(1)})

    assert flows([other, look(1, v1=(1, 0)), look(2, v1=(1, 0), v2=(1, 0))], "shop") == [V1, V2]


def test_old_looks_are_forgotten() -> None:
    window = Window()
    for second in range(LOOKS_MAX + 100):
        window.add(look(second))

    kept = window.looks(NOON + (LOOKS_MAX + 100) * SECOND)

    assert len(kept) == 299
    assert kept[0].at > NOON + 120 * SECOND
