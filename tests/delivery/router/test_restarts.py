"""The router ends, comes back and is replaced; its clients should not know."""

import json
import os
import signal
import socket
from dataclasses import replace
from datetime import timedelta

import pytest

from steerway.delivery.router.adapters import files, programs
from steerway.delivery.router.adapters.envoy import Envoy
from steerway.delivery.router.adapters.files import wait
from steerway.delivery.router.errors import RouterDown, RouterPortTaken
from steerway.delivery.router.rules import Table
from steerway.delivery.runtimes.adapters.supervisor import Supervisor
from tests.delivery.router.stage import (
    LIMIT,
    Load,
    Replica,
    Stage,
    elapsed,
    replicas,
    shop,
    table,
    version,
)

HOST = "shop.localhost"


def serve(stage: Stage, replica: Replica) -> tuple[int, Table]:
    """The process of a router that serves this replica, and what it serves."""
    pid = stage.start()
    wanted = table(shop(("shop-1", 100)), version("shop-1", replica))
    stage.envoy.apply(wanted)
    return pid, wanted


def test_an_upgrade_under_load_loses_nothing(fresh: Stage) -> None:
    with replicas("one") as (one,):
        old, wanted = serve(fresh, one)

        with (
            Load(fresh.site.port, HOST) as gets,
            Load(fresh.site.port, HOST, "POST", clients=2) as posts,
        ):
            gets.more(300)
            fresh.envoy.upgrade()
            both = len(programs.running(fresh.site))
            left = wait(lambda: len(programs.running(fresh.site)) == 1, LIMIT)
            gets.more(300)

        assert both == 2
        assert left
        assert gets.failed | posts.failed == {}
        assert [one.epoch for one in programs.running(fresh.site)] == [1]
        assert fresh.await_serving() != old
        assert not fresh.envoy.apply(wanted).changed


def test_a_killed_router_is_back_at_once_with_what_it_served(fresh: Stage) -> None:
    with replicas("one") as (one,):
        killed, _ = serve(fresh, one)
        wait(lambda: False, timedelta(seconds=2))  # its life is not short

        os.kill(killed, signal.SIGKILL)
        seconds = elapsed(lambda: fresh.await_serving(other_than=killed))

        assert wait(lambda: fresh.ask(HOST)[:2] == (200, "one"), LIMIT)
        assert fresh.keepers[0].poll() is None
        assert [one.epoch for one in programs.running(fresh.site)] == [0]
        assert programs.ends(fresh.site) == 1
        assert seconds < 3


def test_a_router_that_ends_right_after_its_start_is_left_to_the_supervisor(fresh: Stage) -> None:
    os.kill(fresh.start(), signal.SIGKILL)

    assert fresh.keepers[0].wait(5) == 1
    assert fresh.start() > 0


def test_a_killed_keeper_does_not_touch_traffic_and_the_next_one_watches_on(fresh: Stage) -> None:
    with replicas("one") as (one,):
        pid, _ = serve(fresh, one)

        with Load(fresh.site.port, HOST) as load:
            load.more(100)
            fresh.keepers[0].kill()
            fresh.keepers[0].wait()
            load.more(100)
            fresh.keep()
            load.more(100)

        assert load.failed == {}
        assert fresh.await_serving() == pid
        fresh.keepers[1].terminate()
        assert fresh.keepers[1].wait(5) == 0
        assert programs.running(fresh.site) == []


def test_a_new_router_that_cannot_start_leaves_the_old_one_serving(fresh: Stage) -> None:
    with replicas("one") as (one,):
        pid, _ = serve(fresh, one)
        site = fresh.site
        broken = programs.start(site) | {"command": ["/bin/false"]}
        files.write(site.run / "router-start.json", broken)

        programs.replace(site)

        assert fresh.keepers[0].wait(5) == 1
        assert fresh.ask(HOST)[:2] == (200, "one")
        assert fresh.await_serving() == pid


def test_a_taken_port_is_one_clear_sentence_before_anything_starts(fresh: Stage) -> None:
    with socket.create_server((fresh.site.address, fresh.site.port)):
        with pytest.raises(
            RouterPortTaken, match=rf"^Port {fresh.site.port} on 127.0.0.1 is taken"
        ):
            programs.check_port(fresh.site)
        status = fresh.keep().wait(5)

    assert status == 78
    said = (fresh.site.log / "keeper.log").read_text()
    assert said == f"Port {fresh.site.port} on 127.0.0.1 is taken by another program.\n"


def test_the_routers_own_port_is_not_taken(fresh: Stage) -> None:
    programs.check_port(fresh.site)
    fresh.start()

    programs.check_port(fresh.site)


def test_a_damaged_note_of_what_runs_is_no_obstacle(fresh: Stage) -> None:
    (fresh.site.run / "router.json").write_text('{"keeper": 1')

    fresh.start()

    assert len(json.loads((fresh.site.run / "router.json").read_text())["routers"]) == 1


def test_nobody_is_there_to_upgrade(fresh: Stage) -> None:
    with pytest.raises(RouterDown):
        fresh.envoy.upgrade()
    with pytest.raises(RouterDown, match="nobody keeps it"):
        programs.replace(fresh.site)


def test_new_settings_or_another_envoy_ask_for_an_upgrade(fresh: Stage) -> None:
    fresh.start()
    same = fresh.envoy.is_outdated()
    changed = Envoy(replace(fresh.site, concurrency=2))
    before = changed.is_outdated()

    changed.upgrade()

    assert not same
    assert before
    assert not changed.is_outdated()
    assert not programs.is_installed(os.getpid())


def test_preparing_again_keeps_what_was_served(fresh: Stage) -> None:
    with replicas("one") as (one,):
        _, wanted = serve(fresh, one)

        fresh.envoy.prepare()

        assert fresh.ask(HOST)[:2] == (200, "one")
        assert not fresh.envoy.apply(wanted).changed


def test_clients_do_not_notice_the_end_of_supervisord(fresh: Stage) -> None:
    supervisor = Supervisor(fresh.site.run, fresh.site.log)
    with replicas("one") as (one,):
        try:
            supervisor.ensure()
            supervisor.add(programs.program(fresh.site))
            supervisor.start(programs.NAME)
            pid = fresh.await_serving()
            fresh.envoy.apply(table(shop(("shop-1", 100)), version("shop-1", one)))

            with Load(fresh.site.port, HOST, clients=2) as load:
                os.kill(supervisor.pid(), signal.SIGKILL)
                load.more(100)
                supervisor.ensure()
                load.more(100)
                fresh.envoy.upgrade()
                load.more(100)

            assert load.failed == {}
            assert fresh.serving() != pid
            supervisor.stop(programs.NAME)
            assert programs.running(fresh.site) == []
        finally:
            supervisor.shutdown()
