"""What Envoy takes, what it refuses, and what is written."""

import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from steerway.delivery.router.adapters.bootstrap import Site
from steerway.delivery.router.adapters.envoy import Envoy
from steerway.delivery.router.adapters.files import wait
from steerway.delivery.router.errors import HomeTooDeep, RouterDown, RouterRefused
from steerway.delivery.router.rules import Table
from tests.delivery.router.stage import (
    LIMIT,
    QUICK,
    Load,
    Stage,
    elapsed,
    replicas,
    shop,
    table,
    version,
)

HOST = "shop.localhost"


def marks(router: Stage) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in router.site.xds.iterdir()}


def test_an_equal_table_writes_nothing(router: Stage) -> None:
    with replicas("one") as (one,):
        wanted = table(shop(("shop-1", 100)), version("shop-1", one))
        first = router.envoy.apply(wanted)
        before = marks(router)

        second = router.envoy.apply(wanted)

        assert first.changed
        assert not second.changed
        assert (second.clusters, second.routes) == (first.clusters, first.routes)
        assert marks(router) == before


def test_what_left_the_table_leaves_no_files(router: Stage) -> None:
    with replicas("one", "two") as (one, two):
        host = shop(("shop-1", 60), ("shop-2", 40))
        router.envoy.apply(table(host, version("shop-1", one), version("shop-2", two)))
        router.envoy.apply(Table())

        assert set(marks(router)) == {"clusters.json", "routes.json", "listeners.json"}
        assert router.envoy.healthy("shop-1") == (0, 0)
        assert router.ask(HOST)[0] == 404


def test_a_service_without_a_release_says_so(router: Stage) -> None:
    router.envoy.apply(table(shop()))

    assert router.ask(HOST)[0] == 503


def test_replicas_come_and_go_within_a_version(router: Stage) -> None:
    with replicas("one", "two") as (one, two):
        host = shop(("shop-1", 100))
        router.envoy.apply(table(host, version("shop-1", one)))
        router.envoy.apply(table(host, version("shop-1", one, two)))
        router.envoy.apply(table(host, version("shop-1", two)))

        assert router.envoy.healthy("shop-1") == (1, 1)
        # A thread of Envoy may hear of it a moment after its main thread has.
        wait(lambda: router.ask(HOST)[1] == "two", LIMIT)
        assert {router.ask(HOST)[1] for _ in range(20)} == {"two"}


def test_replacing_all_replicas_of_a_version_loses_nothing(router: Stage) -> None:
    with replicas("one", "two") as (one, two):
        host = shop(("shop-1", 100))
        router.envoy.apply(table(host, version("shop-1", one)))

        with Load(router.site.port, HOST) as load:
            load.more(200)
            router.envoy.apply(table(host, version("shop-1", two)))
            load.more(200)

        assert load.failed == {}
        assert router.ask(HOST)[1] == "two"


def test_a_refused_table_keeps_the_one_before_and_says_why(router: Stage) -> None:
    with replicas("one") as (one,):
        host = shop(("shop-1", 100))
        router.envoy.apply(table(host, version("shop-1", one)))
        before = marks(router)
        wrong = replace(version("shop-2", one), health=replace(QUICK, interval=timedelta(0)))

        with pytest.raises(RouterRefused, match=r"(?i)interval"):
            router.envoy.apply(table(host, version("shop-1", one), wrong))

        assert router.ask(HOST)[:2] == (200, "one")
        router.envoy.apply(table(host, version("shop-1", one)))
        assert marks(router).keys() == before.keys()


def test_refused_routes_keep_the_ones_before(router: Stage) -> None:
    with replicas("one") as (one,):
        host = shop(("shop-1", 100))
        router.envoy.apply(table(host, version("shop-1", one)))

        with pytest.raises(RouterRefused, match=r"(?i)routes.*domain"):
            router.envoy.apply(table(replace(host, domains=()), version("shop-1", one)))

        assert router.ask(HOST)[:2] == (200, "one")
        assert not router.envoy.apply(table(host, version("shop-1", one))).changed


@pytest.mark.parametrize("share", ["absent", "shop-1"])
def test_a_table_that_contradicts_itself_is_refused_before_it_is_written(
    router: Stage, share: str
) -> None:
    before = marks(router)

    with pytest.raises(RouterRefused, match=f"{share}, which is not running"):
        router.envoy.apply(table(shop((share, 100))))

    assert marks(router) == before


def test_traffic_does_not_leave_a_healthy_version_for_a_dead_one(router: Stage) -> None:
    with replicas("one", "two") as (one, two):
        two.is_well = False
        first, second = version("shop-1", one), version("shop-2", two)
        router.envoy.apply(table(shop(("shop-1", 100)), first, second))

        with pytest.raises(RouterRefused, match="shop-2 has no healthy replica"):
            router.envoy.apply(
                table(shop(("shop-2", 100)), first, second),
                healthy_limit=timedelta(milliseconds=300),
            )

        assert router.ask(HOST)[:2] == (200, "one")


def test_a_dead_version_is_routed_to_when_there_is_none_better(router: Stage) -> None:
    with replicas("ill") as (ill,):
        router.envoy.apply(Table())
        ill.is_well = False

        ack = router.envoy.apply(
            table(shop(("shop-3", 100)), version("shop-3", ill)),
            healthy_limit=timedelta(milliseconds=300),
        )

        assert ack.unhealthy == ("shop-3",)
        assert router.ask(HOST)[0] == 503


@pytest.mark.parametrize("name", ["clusters.json", "routes.json"])
def test_a_file_that_somebody_broke_is_written_again(router: Stage, name: str) -> None:
    with replicas("one") as (one,):
        wanted = table(shop(("shop-1", 100)), version("shop-1", one))
        router.envoy.apply(wanted)
        file = router.site.xds / name
        sound = file.read_text()
        file.write_text(sound[:100])

        ack = router.envoy.apply(wanted)

        assert ack.changed
        assert file.read_text() == sound
        assert router.ask(HOST)[:2] == (200, "one")


def test_envoy_tells_its_version_and_its_admin_socket_is_private(router: Stage) -> None:
    assert router.envoy.version().split(".")[0] == "1"
    assert stat.S_IMODE(router.site.admin.stat().st_mode) == 0o600


def test_a_router_that_is_away_says_so_and_nothing_is_written(fresh: Stage) -> None:
    before = marks(fresh)

    with pytest.raises(RouterDown, match="steerway up"):
        fresh.envoy.apply(table(shop()))

    assert marks(fresh) == before


def test_apply_is_fast(router: Stage) -> None:
    with replicas("one", "two") as (one, two):
        versions = version("shop-1", one), version("shop-2", two)
        router.envoy.apply(table(shop(("shop-1", 100)), *versions))

        flip = elapsed(lambda: router.envoy.apply(table(shop(("shop-2", 100)), *versions)))

        assert flip < 1


def test_a_home_too_deep_for_sockets_is_said_before_anything_is_written(tmp_path: Path) -> None:
    site = Site(tmp_path / ("x" * 100), tmp_path, "127.0.0.1", 1)

    with pytest.raises(HomeTooDeep, match="characters too long"):
        Envoy(site).prepare()

    assert not site.run.exists()
