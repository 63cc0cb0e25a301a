"""What clients see while versions come, go and fail."""

import json
import threading
from datetime import timedelta

from steerway.delivery.router.adapters.files import wait
from tests.delivery.router.stage import (
    LIMIT,
    Answer,
    Load,
    Stage,
    replicas,
    shop,
    table,
    version,
)

HOST = "shop.localhost"


def test_switching_versions_under_load_loses_nothing(router: Stage) -> None:
    with replicas("one", "two") as (one, two):
        first, second = version("shop-1", one), version("shop-2", two)
        router.envoy.apply(table(shop(("shop-1", 100)), first))

        with (
            Load(router.site.port, HOST) as gets,
            Load(router.site.port, HOST, "POST", clients=2) as posts,
        ):
            for _ in range(2):
                gets.more(400)
                router.envoy.apply(table(shop(("shop-2", 100)), second))
                gets.more(400)
                router.envoy.apply(table(shop(("shop-1", 100)), first))

        assert gets.failed | posts.failed == {}
        assert gets.total >= 1600
        assert gets.outcomes["200 one"] > 0
        assert posts.outcomes["200 two"] > 0


def test_a_switch_is_complete_when_apply_returns(router: Stage) -> None:
    with replicas("one", "two") as (one, two):
        router.envoy.apply(table(shop(("shop-3", 100)), version("shop-3", one)))
        router.envoy.apply(table(shop(("shop-4", 100)), version("shop-4", two)))

        assert {router.ask(HOST)[1] for _ in range(50)} == {"two"}


def test_a_replica_that_fails_its_health_check_gets_no_traffic(router: Stage) -> None:
    with replicas("well", "ill") as (well, ill):
        ill.is_well = False
        both = version("shop-5", well, ill)
        router.envoy.apply(
            table(shop(("shop-5", 100)), both), healthy_limit=timedelta(milliseconds=500)
        )

        answers = {router.ask(HOST)[1] for _ in range(100)}

        assert answers == {"well"}
        assert ill.seen == []
        assert router.envoy.healthy("shop-5") == (1, 2)


def test_retries_hide_a_killed_replica_from_gets(router: Stage) -> None:
    with replicas("left", "killed") as (left, killed):
        router.envoy.apply(table(shop(("shop-6", 100)), version("shop-6", left, killed)))

        with Load(router.site.port, HOST) as load:
            load.more(400)
            killed.kill()
            load.more(800)

        assert load.failed == {}
        assert load.outcomes["200 killed"] > 0


def test_a_post_is_not_sent_twice(router: Stage) -> None:
    with replicas("one", "two") as (one, two):
        one.act = two.act = Answer.hang_up
        router.envoy.apply(table(shop(("shop-7", 100)), version("shop-7", one, two)))

        post = router.ask(
            HOST, method="POST", body=b"order", headers={"x-envoy-retry-on": "reset,5xx"}
        )
        posts = one.requests("POST") + two.requests("POST")
        get = router.ask(HOST)
        gets = one.requests("GET") + two.requests("GET")

        assert (post[0], posts) == (503, 1)
        assert (get[0], gets) == (503, 3)


def test_a_hanging_replica_is_asked_only_for_the_time_of_one_try(router: Stage) -> None:
    with replicas("one", "two") as (one, two):
        one.act = lambda answer: answer.say_later(timedelta(seconds=1))
        host = shop(("shop-8", 100), try_timeout=timedelta(milliseconds=100))
        router.envoy.apply(table(host, version("shop-8", one, two)))

        answers = [router.ask(HOST) for _ in range(4)]

        assert [(status, body) for status, body, _ in answers] == [(200, "two")] * 4


def test_an_answer_may_stream_longer_than_one_try(router: Stage) -> None:
    def stream(answer: Answer) -> None:
        answer.send_response(200)
        answer.send_header("connection", "close")
        answer.end_headers()
        for _ in range(4):
            answer.wfile.write(b"tick ")
            answer.wfile.flush()
            wait(lambda: False, timedelta(milliseconds=100))
        answer.close_connection = True

    with replicas("one") as (one,):
        one.act = stream
        host = shop(("shop-9", 100), try_timeout=timedelta(milliseconds=150))
        router.envoy.apply(table(host, version("shop-9", one)))

        status, body, _ = router.ask(HOST)

        assert (status, body) == (200, "tick " * 4)
        assert one.requests("GET") == 1


def test_a_small_share_keeps_its_clients_and_its_failures_are_hidden(router: Stage) -> None:
    with replicas("stable", "new") as (stable, new):
        versions = version("shop-10", stable), version("shop-11", new)
        router.envoy.apply(table(shop(("shop-10", 70), ("shop-11", 30)), *versions))

        first = [router.ask(HOST) for _ in range(60)]
        _, body, headers = next(one for one in first if one[1] == "new")
        cookie = headers["set-cookie"].split(";")[0]
        kept = {router.ask(HOST, headers={"cookie": cookie})[1] for _ in range(20)}
        new.act = lambda answer: answer.say(503, b"bad")
        hidden = {router.ask(HOST, headers={"cookie": cookie})[:2] for _ in range(5)}

        assert {one[1] for one in first} == {"stable", "new"}
        assert kept == {body} == {"new"}
        assert hidden == {(200, "stable")}


def test_counts_tell_versions_apart_and_show_what_a_retry_hid(router: Stage) -> None:
    with replicas("one", "two") as (one, two):
        one.act = lambda answer: answer.say(500, b"bad")
        router.envoy.apply(table(shop(("shop-12", 100)), version("shop-12", one, two)))
        for _ in range(4):
            router.ask(HOST)

        counts = [one for one in router.envoy.counts() if one.version == "shop-12"]

        seen = {(one.kind, one.code): one.requests for one in counts}
        assert seen["request", 200] == 4
        assert seen["attempt", 200] == 4
        assert seen["attempt", 500] >= 1
        assert {(one.service, one.environment) for one in counts} == {("shop", "production")}


def test_the_access_log_says_what_happened_and_no_secrets(router: Stage) -> None:
    with replicas("one") as (one,):
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        router.envoy.apply(table(shop(("shop-13", 100)), version("shop-13", one, release="abc")))

        router.ask(
            HOST, "/cart?token=hunter2", headers={"cookie": "session=hunter3", "traceparent": trace}
        )

        log = router.site.log / "access.log"
        assert wait(lambda: '"/cart"' in log.read_text(), LIMIT)
        text = log.read_text()
        line = next(one for one in map(json.loads, text.splitlines()) if one.get("path") == "/cart")
        assert "hunter" not in text
        assert line["service"] == "shop"
        assert line["environment"] == "production"
        assert line["version"] == "shop-13"
        assert line["release"] == "abc"
        assert line["status"] == 200
        assert line["attempts"] == 1
        assert line["traceparent"] == trace
        assert line["upstream"] == f"127.0.0.1:{one.server_port}"


def test_a_full_access_log_is_put_aside(router: Stage) -> None:
    router.ask("nobody.localhost")
    log = router.site.log / "access.log"
    assert wait(lambda: log.exists() and log.stat().st_size > 0, LIMIT)

    rotated = router.envoy.rotate_logs(bytes_max=1, kept=2)
    router.ask("nobody.localhost")

    assert rotated
    assert not router.envoy.rotate_logs(bytes_max=1_000_000)
    assert log.with_name("access.log.1").exists()
    assert wait(lambda: log.exists() and log.stat().st_size > 0, LIMIT)


def test_requests_in_flight_are_counted_for_draining(router: Stage) -> None:
    gate = threading.Event()

    def answer_later(answer: Answer) -> None:
        gate.wait(LIMIT.total_seconds())
        answer.say(200, b"late")

    with replicas("one") as (one,):
        one.act = answer_later
        router.envoy.apply(table(shop(("shop-14", 100)), version("shop-14", one)))

        with Load(router.site.port, HOST, clients=2):
            in_flight = wait(lambda: router.envoy.active_requests("shop-14") == 2, LIMIT)
            gate.set()

        assert in_flight
        assert wait(lambda: router.envoy.active_requests("shop-14") == 0, LIMIT)


def test_a_request_in_flight_survives_the_removal_of_its_version(router: Stage) -> None:
    gate = threading.Event()

    def answer_later(answer: Answer) -> None:
        gate.wait(LIMIT.total_seconds())
        answer.say(200, b"late")

    with replicas("old", "new") as (old, new):
        old.act = answer_later
        router.envoy.apply(table(shop(("shop-15", 100)), version("shop-15", old)))

        with Load(router.site.port, HOST, clients=2) as load:
            assert wait(lambda: router.envoy.active_requests("shop-15") == 2, LIMIT)
            wanted = table(shop(("shop-16", 100)), version("shop-16", new))
            router.envoy.apply(wanted, drain_limit=timedelta(0))
            gone = router.envoy.healthy("shop-15")
            gate.set()
            load.more(20)

        assert gone == (0, 0)
        assert load.failed == {}
        assert load.outcomes["200 late"] == 2


def test_a_request_that_waits_for_a_canary_is_tried_on_the_stable_version_after_it_left(
    router: Stage,
) -> None:
    with replicas("one", "two") as (stable, canary):
        versions = version("way-1", stable), version("way-2", canary)
        settings = {"timeout": LIMIT, "try_timeout": timedelta(seconds=1)}
        router.envoy.apply(table(shop(("way-1", 1), ("way-2", 99), **settings), *versions))
        canary.act = lambda answer: answer.say_later(LIMIT)
        canary.is_well = False
        answers: list[tuple[int, str]] = []
        asking = threading.Thread(target=lambda: answers.append(router.ask(HOST)[:2]))
        asking.start()
        assert wait(lambda: canary.requests("GET") == 1, LIMIT)
        wait(lambda: router.envoy.healthy("way-2") == (0, 1), LIMIT)

        router.envoy.apply(
            table(shop(("way-1", 100), **settings), *versions), drain_limit=timedelta(0)
        )
        asking.join()
        router.envoy.apply(table(shop(("way-1", 100), **settings), versions[0]))

        assert answers == [(200, "one")]
        assert "way-2" not in (router.site.xds / "clusters.json").read_text()
