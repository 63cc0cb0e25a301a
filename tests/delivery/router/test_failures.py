"""The log of attempts that failed, followed."""

import json
from pathlib import Path

from steerway.delivery.router.adapters.failures import Failures
from steerway.delivery.router.adapters.files import wait
from tests.delivery.router.stage import LIMIT, Stage, replicas, shop, table, version

PLACE = ("shop", "production")


def line(client: str = "10.0.0.7", **fields: str) -> str:
    known = {"service": "shop", "environment": "production", "version": "shop-1"}
    return json.dumps(known | {"client": client, "method": "GET", "path": "/"} | fields) + "\n"


def test_only_what_is_new_and_ours_is_counted(tmp_path: Path) -> None:
    log = tmp_path / "failures.log"
    log.write_text(line())
    failures = Failures(log, *PLACE)

    with log.open("a") as more:
        more.write(line() + line() + line(service="inbox") + line(flags="DC") + line("10.0.0.8"))

    assert failures.look() == {
        ("shop-1", "10.0.0.7", "GET /"): 2,
        ("shop-1", "10.0.0.8", "GET /"): 1,
    }
    assert failures.look() == {}


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    log = tmp_path / "failures.log"
    failures = Failures(log, *PLACE)
    text = line()

    log.write_text(text[:20])
    assert failures.look() == {}
    with log.open("a") as more:
        more.write(text[20:])

    assert failures.look().total() == 1


def test_a_log_that_was_begun_anew_is_read_from_its_start(tmp_path: Path) -> None:
    log = tmp_path / "failures.log"
    log.write_text(line() * 5)
    failures = Failures(log, *PLACE)

    log.rename(tmp_path / "failures.log.1")
    log.write_text(line() + "no json\n")

    assert failures.look().total() == 1


def test_the_router_says_who_met_a_failure_that_a_retry_hid(router: Stage) -> None:
    with replicas("one", "two") as (stable, canary):
        versions = version("said-1", stable), version("said-2", canary)
        router.envoy.apply(table(shop(("said-1", 1), ("said-2", 99)), *versions))
        failures = Failures(router.site.log / "failures.log", *PLACE)
        canary.act = lambda answer: answer.say(503, b"")

        answers = [router.ask("shop.localhost", path="/catalog?secret=1")[0] for _ in range(10)]

        found = failures.look()
        wait(lambda: bool(found.update(failures.look()) or found), LIMIT)
        assert set(answers) == {200}
        assert set(found) == {("said-2", "127.0.0.1", "GET /catalog")}
