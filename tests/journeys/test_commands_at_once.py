"""People who start and stop at the same time."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.journeys.conftest import Founder
from tests.journeys.installation import until

pytestmark = pytest.mark.journey


def test_three_who_start_at_once_start_one_server(found: Founder) -> None:
    installation = found()

    with ThreadPoolExecutor(3) as people:
        done = list(people.map(lambda _: installation.steerway("up"), range(3)))

    assert [one.code for one in done] == [0, 0, 0], done
    assert sum("Steerway runs at" in one.stdout for one in done) == 1
    until(lambda: "server.started" in installation.types(), "its worker is at work")
    assert installation.types().count("server.started") == 1


def test_who_stops_while_somebody_starts_waits_for_it_and_stops_all(found: Founder) -> None:
    installation = found()

    with ThreadPoolExecutor(2) as people:
        starting = people.submit(installation.steerway, "up")
        while not (installation.home / "run" / "conf.d" / "server.ini").exists():
            assert not starting.done()
        stopping = installation.steerway("down")

    assert (starting.result().code, stopping.code) == (0, 0), (starting.result(), stopping)
    assert not installation.answers()
