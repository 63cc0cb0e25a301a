"""What the router knows of a version, by which it is judged."""

from datetime import timedelta
from itertools import pairwise

from steerway.delivery.router.adapters.files import wait
from steerway.delivery.router.rules import PACE_EDGES_MS, Count, Share, Signals, outcomes
from tests.delivery.router.stage import LIMIT, Answer, Load, Stage, replicas, shop, table, version

PLACE = ("shop", "production")
SLOW = timedelta(milliseconds=57)


def counted(code: int, flags: str = "-") -> Count:
    return Count("attempt", *PLACE, version="shop-1", code=code, flags=flags, requests=3)


def test_a_failure_that_a_retry_hid_is_one_of_its_version(router: Stage) -> None:
    with replicas("one", "two") as (stable, canary):
        router.envoy.apply(
            table(
                shop(("shop-1", 50), ("shop-2", 50)),
                version("shop-1", stable),
                version("shop-2", canary),
            )
        )
        canary.act = lambda answer: answer.say(503, b"")

        with Load(router.site.port, "shop.localhost") as load:
            load.more(100)

        found = router.envoy.signals(*PLACE, ["shop-1", "shop-2"])
        assert load.failed == {}
        assert found["shop-2"].failed == found["shop-2"].ended > 0
        assert found["shop-1"].failed == 0
        assert found["shop-1"].replicas == found["shop-1"].healthy == 1


def test_durations_fall_between_the_edges(router: Stage) -> None:
    def late(answer: Answer) -> None:
        answer.say_later(SLOW)

    with replicas("one") as (one,):
        one.act = late
        router.envoy.apply(table(shop(("paced-1", 100)), version("paced-1", one)))
        for _ in range(5):
            router.ask("shop.localhost")

        router.envoy.signals(*PLACE, ["paced-1"])
        found = router.envoy.signals(*PLACE, ["paced-1"])["paced-1"]

        below = dict(zip(PACE_EDGES_MS, found.not_above, strict=True))
        assert below[44] == 0
        assert below[57_000] == found.ended == 5


def test_users_never_see_a_shadow_that_fails(router: Stage) -> None:
    with replicas("one", "two") as (stable, shadow):
        shadow.act = lambda answer: answer.say(500, b"")
        host = shop(("lit-1", 100), shadow=Share("lit-2", 100))
        router.envoy.apply(table(host, version("lit-1", stable), version("lit-2", shadow)))

        answers = {router.ask("shop.localhost")[:2] for _ in range(10)}
        router.ask("shop.localhost", method="POST")

        wait(lambda: router.envoy.shadow_signals("lit-2").ended == 10, LIMIT)
        found = router.envoy.shadow_signals("lit-2")
        assert answers == {(200, "one")}
        assert (found.ended, found.failed, found.replicas) == (10, 10, 1)
        assert found.not_above[-1] == 10
        assert shadow.requests("POST") == 0


def test_a_version_that_is_not_known_has_done_nothing(router: Stage) -> None:
    assert router.envoy.signals(*PLACE, ["shop-9"]) == {"shop-9": Signals()}


def test_what_counts_as_a_failure() -> None:
    counts = [
        counted(200),
        counted(404),
        counted(503, "UF,URX"),
        counted(0, "UC"),
        counted(0, "DC"),
    ]

    assert outcomes(counts) == (12, 6, 3)


def test_each_edge_lies_about_nine_percent_above_the_one_before() -> None:
    pairs = [(a, b) for a, b in pairwise(PACE_EDGES_MS) if a >= 20 and b <= 60_000]

    assert all(1.05 < b / a < 1.15 for a, b in pairs)
