"""Steerway is started again: with an upgrade in mind, or after everything was killed."""

import os
import signal

import pytest

from tests.journeys import processes
from tests.journeys.installation import Installation, until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("starting-again")]


def test_restart_gives_a_new_server_and_leaves_services_alone(serving: Installation) -> None:
    others = ["supervisord", "envoy", "router", *serving.replicas()]
    before, server = serving.pids(*others), serving.pids("server")

    serving.ok("restart")

    assert serving.answers()
    assert serving.pids("server") != server
    assert serving.pids(*others) == before


def test_up_finds_everything_again_after_all_was_killed_at_once(serving: Installation) -> None:
    for pid in processes.of(serving.home):
        os.kill(pid, signal.SIGKILL)

    serving.ok("up")

    until(lambda: serving.shop_version() == "v1", "the shop answers")
