"""The keeper's own work, without an Envoy."""

import signal
import subprocess

import pytest

from steerway.delivery.router.adapters import keeper
from steerway.delivery.router.adapters.keeper import Kept, Process

STUBBORN = "trap '' TERM; echo ready; while :; do sleep 0.05; done"


def test_a_router_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "END_SECONDS", 0.1)
    with subprocess.Popen(["sh", "-c", STUBBORN], stdout=subprocess.PIPE) as stubborn:
        assert stubborn.stdout is not None
        stubborn.stdout.readline()
        router = Process(pid=stubborn.pid, started=keeper.started(stubborn.pid) or "", epoch=0)

        keeper.end(Kept(boot="", keeper=0, ends=0, routers=[router]))

        assert stubborn.wait(5) == -signal.SIGKILL


def test_what_has_ended_already_is_not_waited_for() -> None:
    with subprocess.Popen(["true"]) as done:
        router = Process(pid=done.pid, started=keeper.started(done.pid) or "", epoch=0)

    keeper.end(Kept(boot="", keeper=0, ends=0, routers=[router]))

    assert not keeper.is_alive(router)
