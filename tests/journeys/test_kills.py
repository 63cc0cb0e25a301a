"""Every long-lived process is killed in turn; the shop answers, and the log says what happened."""

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from steerway.app.sites import supervisor_of
from steerway.platform import settings
from tests.journeys import processes
from tests.journeys.conftest import Record
from tests.journeys.installation import Installation, until
from tests.journeys.visitors import Visit, visitors

pytestmark = pytest.mark.journey
MORE: Final = 40  # answers after the deed: what comes back must be seen to serve
GETS: Final = "/=20,/catalog=60,/orders=20"
# What Envoy was answering at its death, and what came until the next one listened.
ENVOY_FAILURES_MAX: Final = 100
BOOT: Final = Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def failed_of(visit: Visit) -> str:
    """How many failed, of how many."""
    return f"{visit.report['failed']} of {visit.report['requests']}"


def see_more(visit: Visit) -> None:
    """Let visitors come for a while longer."""
    wanted = visit.answers + MORE
    until(lambda: visit.answers >= wanted, "more answers")


def test_the_server_comes_back_by_itself_and_leaves_the_rest_alone(serving: Installation) -> None:
    others = ["supervisord", "envoy", "router", *serving.replicas()]
    before, seq = serving.pids(*others), serving.last_seq()

    with visitors(serving) as visit:
        server = serving.kill("server")
        serving.reborn("server", server)
        until(serving.answers, "the server answers")
        see_more(visit)

    assert visit.report["failed"] == 0, visit.report
    assert serving.pids(*others) == before
    until(lambda: "server.started" in serving.types(seq), "the log says so")
    assert Counter(serving.types(seq)) == {"server.started": 1}


def test_supervisord_comes_back_and_adopts_what_runs(serving: Installation) -> None:
    others = ["server", "envoy", "router", *serving.replicas()]
    before, seq = serving.pids(*others), serving.last_seq()

    with visitors(serving) as visit:
        supervisord = serving.kill("supervisord")
        serving.reborn("supervisord", supervisord)
        until(lambda: "supervisor.restarted" in serving.types(seq), "the log says so")
        see_more(visit)

    assert visit.report["failed"] == 0, visit.report
    assert serving.pids(*others) == before
    assert Counter(serving.types(seq)) == {"supervisor.restarted": 1}
    seen = supervisor_of(settings.load(serving.environment)).processes()
    assert {name for name, process in seen.items() if process.adopted} == {
        "server",
        "router",
        *serving.replicas(),
    }


def test_the_routers_keeper_comes_back_and_watches_the_same_router(serving: Installation) -> None:
    before, seq = serving.pids("envoy", "server", *serving.replicas()), serving.last_seq()

    with visitors(serving) as visit:
        keeper = serving.kill("router")
        serving.reborn("router", keeper)
        see_more(visit)

    assert visit.report["failed"] == 0, visit.report
    assert serving.pids("envoy", "server", *serving.replicas()) == before
    assert "router.restarted" not in serving.types(seq)


def test_the_router_comes_back_at_once(serving: Installation, record_property: Record) -> None:
    before, seq = serving.pids("supervisord", "server", *serving.replicas()), serving.last_seq()

    with visitors(serving, mix=GETS) as visit:
        envoy = serving.kill("envoy")
        serving.reborn("envoy", envoy)
        until(lambda: serving.shop_version() == "v1", "the shop answers")
        see_more(visit)
    until(lambda: "router.restarted" in serving.types(seq), "the log says so")

    record_property("GETs failed of the router's death", failed_of(visit))
    assert visit.report["failed"] < ENVOY_FAILURES_MAX, visit.report
    assert serving.pids("supervisord", "server", *serving.replicas()) == before
    assert serving.types(seq).count("router.restarted") == 1


def test_a_replica_comes_back_and_visitors_who_only_read_do_not_notice(
    serving: Installation, record_property: Record
) -> None:
    victim, other = serving.replicas()
    before, seq = serving.pid(other), serving.last_seq()

    with visitors(serving) as visit:
        pid = serving.kill(victim)
        serving.reborn(victim, pid)
        until(lambda: "replica.respawned" in serving.types(seq), "the log says so")
        see_more(visit)

    record_property("requests failed of a replica's death", failed_of(visit))
    assert visit.gets_failed() == 0, visit.report
    assert serving.pid(other) == before
    assert serving.types(seq).count("replica.respawned") == 1


def test_a_crash_loop_is_reported_once_and_backs_off(serving: Installation) -> None:
    victim, seq = serving.replicas()[0], serving.last_seq()
    state = serving.home / "run" / "state" / f"{victim}.json"

    pauses = []
    for _ in range(3):
        pid = serving.kill(victim)
        ended = time.monotonic()
        serving.reborn(victim, pid)
        pauses.append(time.monotonic() - ended)
    until(lambda: "replica.crash-looping" in serving.types(seq), "the log says so")

    assert json.loads(state.read_text())["crashes"] >= 3
    assert pauses == sorted(pauses)
    assert serving.types(seq).count("replica.crash-looping") == 1
    assert "crash" in serving.ok("status")


def test_a_paused_service_is_watched_and_left_alone(serving: Installation) -> None:
    victim, seq = serving.replicas()[1], serving.last_seq()
    supervisor = supervisor_of(settings.load(serving.environment))
    serving.ok("pause", "shop", "--reason", "looking into it")

    supervisor.stop(victim)
    until(lambda: state_of(serving, victim) == "stopped", "the look has seen it")
    assert "replica.restored" not in serving.types(seq)
    code, _, stderr = serving.steerway("deploy", "shop", "--ref", "v2")
    assert (code, "is paused by" in stderr) == (1, True)

    serving.ok("resume", "shop")
    until(lambda: "replica.restored" in serving.types(seq), "it is brought back")
    until(lambda: state_of(serving, victim) == "running", "it runs")


def state_of(installation: Installation, program: str) -> str:
    """What was last seen of a replica."""
    rows = installation.rows("SELECT state FROM replica WHERE program = ?", program)
    return str(rows[0][0])


def test_after_a_reboot_up_finds_its_services_again(
    serving: Installation, record_property: Record
) -> None:
    replicas, routes = serving.replicas(), serving.traces()["routes"]
    seq = serving.last_seq()
    power_cut(serving)
    assert serving.shop_version() == "none"

    started = time.monotonic()
    serving.ok("up")
    up = time.monotonic() - started
    until(lambda: serving.shop_version() == "v1", "the shop answers")

    record_property("seconds from a reboot to `up`", f"{up:.1f}")
    record_property("seconds from a reboot to the shop", f"{time.monotonic() - started:.1f}")
    assert serving.replicas() == replicas
    assert serving.traces()["routes"] == routes
    assert not [kind for kind in serving.types(seq) if kind.startswith("deployment")]
    assert serving.steerway("log", "verify").code == 0


def power_cut(installation: Installation) -> None:
    """End every process at once, and have what was noted of them belong to another boot."""
    while left := processes.of(installation.home):
        for pid in left:
            os.kill(pid, signal.SIGKILL)
    run = installation.home / "run"
    for note in [run / "router.json", *(run / "pids").glob("*.json"), *(run / "state").glob("*")]:
        note.write_text(note.read_text().replace(BOOT, "0" * len(BOOT)))


def test_up_does_nothing_twice_and_down_leaves_nothing_running(serving: Installation) -> None:
    running = processes.of(serving.home)
    assert "is running" in serving.ok("up")
    assert processes.of(serving.home) == running

    serving.ok("down")
    assert processes.of(serving.home) == {}
    assert serving.shop_version() == "none"
    assert serving.steerway("status").code == 4
    assert serving.steerway("down").code == 0

    serving.ok("up")
    until(lambda: serving.shop_version() == "v1", "the shop answers")
