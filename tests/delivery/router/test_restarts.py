"""The router ends, comes back and is replaced; its clients should not know."""

import json
import signal
import socket
from datetime import timedelta

import pytest

from steerway.delivery.router.adapters import programs
from steerway.delivery.router.adapters.files import wait
from steerway.delivery.router.errors import PortTaken
from tests.delivery.router.stage import (
    LIMIT,
    Load,
    Stage,
    elapsed,
    replicas,
    shop,
    table,
    version,
)

HOST = "shop.localhost"


def test_an_upgrade_under_load_loses_nothing(fresh: Stage) -> None:
    with replicas("one") as (one,):
        old = fresh.start("router-a")
        fresh.await_serving(old.pid)
        fresh.envoy.apply(table(shop(("shop-1", 100)), version("shop-1", one)))
        assert programs.spare(fresh.site) == "router-b"

        with (
            Load(fresh.site.port, HOST) as gets,
            Load(fresh.site.port, HOST, "POST", clients=2) as posts,
        ):
            gets.more(300)
            new = fresh.start("router-b")
            fresh.await_serving(new.pid)
            drained = wait(lambda: False, timedelta(seconds=programs.DRAIN_SECONDS))
            old.send_signal(signal.SIGTERM)
            old.wait()
            gets.more(300)

        assert not drained
        assert gets.failed | posts.failed == {}
        assert [(one.name, one.epoch) for one in programs.running(fresh.site)] == [("router-b", 1)]
        assert programs.spare(fresh.site) == "router-a"
        assert not fresh.envoy.apply(table(shop(("shop-1", 100)), version("shop-1", one))).changed


def test_a_killed_router_is_back_at_once_with_what_it_served(fresh: Stage) -> None:
    with replicas("one") as (one,):
        killed = fresh.start()
        fresh.await_serving(killed.pid)
        fresh.envoy.apply(table(shop(("shop-1", 100)), version("shop-1", one)))

        killed.kill()
        killed.wait()
        back = fresh.start()
        seconds = elapsed(lambda: fresh.await_serving(back.pid))

        assert wait(lambda: fresh.ask(HOST)[:2] == (200, "one"), LIMIT)
        assert [one.epoch for one in programs.running(fresh.site)] == [0]
        assert seconds < 5


def test_a_router_that_lost_its_supervisor_is_replaced_and_leaves(fresh: Stage) -> None:
    with replicas("one") as (one,):
        orphan = fresh.start("router-a")
        fresh.await_serving(orphan.pid)
        fresh.envoy.apply(table(shop(("shop-1", 100)), version("shop-1", one)))

        heir = fresh.start("router-a")
        fresh.await_serving(heir.pid)

        words = f"/proc/{heir.pid}/cmdline"
        with open(words, "rb") as command:  # noqa: PTH123 - a file of the kernel
            arguments = command.read().split(b"\0")
        assert arguments[arguments.index(b"--parent-shutdown-time-s") + 1] == b"20"
        assert fresh.ask(HOST)[:2] == (200, "one")


def test_a_taken_port_is_one_clear_sentence_before_anything_starts(fresh: Stage) -> None:
    with socket.create_server((fresh.site.address, fresh.site.port)):
        with pytest.raises(PortTaken, match=rf"^Port {fresh.site.port} on 127.0.0.1 is taken"):
            programs.check_port(fresh.site)
        process = fresh.start()
        status = process.wait()
        assert process.stderr
        said = process.stderr.read().decode()

    assert status == 78
    assert said == f"Port {fresh.site.port} on 127.0.0.1 is taken by another program.\n"


def test_the_routers_own_port_is_not_taken(fresh: Stage) -> None:
    programs.check_port(fresh.site)
    fresh.await_serving(fresh.start().pid)

    programs.check_port(fresh.site)


def test_a_damaged_note_of_what_runs_is_no_obstacle(fresh: Stage) -> None:
    (fresh.site.run / "router.json").write_text('[{"name": "router')

    fresh.await_serving(fresh.start().pid)

    assert json.loads((fresh.site.run / "router.json").read_text())[0]["epoch"] == 0


def test_preparing_again_keeps_what_was_served(fresh: Stage) -> None:
    with replicas("one") as (one,):
        fresh.await_serving(fresh.start().pid)
        fresh.envoy.apply(table(shop(("shop-1", 100)), version("shop-1", one)))

        fresh.envoy.prepare()

        assert fresh.ask(HOST)[:2] == (200, "one")
