import http.client
import json
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from steerway.app import descriptor
from tests.examples.stage import CLEAN, Answer, Stage, ask, free_port, until

SECRET = "sk-live-5c1b7e0d"
CART = {"sku": "house", "quantity": 2}


def buy(port: int, key: str, body: object = CART) -> Answer:
    return ask(port, "/checkout", method="POST", body=body, key=key)


def seeded(port: int) -> Any:
    return ask(port, "/orders/checksum?through=1000").json


def test_the_shop_sells_and_says_which_version_it_is(stage: Stage) -> None:
    shop = stage.shop("v1")

    pages = {path: ask(shop.port, path) for path in ("/", "/catalog", "/orders", "/healthz")}

    assert {page.status for page in pages.values()} == {200}
    assert {page.headers["x-shop-version"] for page in pages.values()} == {"v1"}
    assert "House Blend" in pages["/"].text
    assert len(pages["/orders"].json["orders"]) == 20
    assert ask(shop.port, "/version").json == {"version": "v1"}
    assert seeded(shop.port)["orders"] == 1000


def test_a_key_buys_once_however_often_it_is_sent(stage: Stage) -> None:
    shop, other = stage.shop("v1"), stage.shop("v1")

    first = buy(shop.port, "cart-1")
    again = buy(other.port, "cart-1")

    assert (first.status, again.status) == (201, 200)
    assert first.json == again.json
    assert ask(shop.port, "/orders/checksum").json["orders"] == 1001


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (None, "send JSON"),
        ([], "send JSON"),
        ({"quantity": 1}, "sku is missing"),
        ({"sku": "tea"}, "there is no 'tea'"),
        ({"sku": "\ud800"}, "sku is missing"),
        ({"sku": "house", "quantity": True}, "whole number"),
        ({"sku": "house", "quantity": 21}, "from 1 to 20"),
    ],
)
def test_a_cart_that_makes_no_sense_is_refused(stage: Stage, body: object, says: str) -> None:
    shop = stage.shop("v1")

    refused = buy(shop.port, "odd", body)

    assert refused.status == 422
    assert says in refused.json["detail"]


def test_replicas_that_start_together_prepare_one_database(stage: Stage) -> None:
    shops = [
        stage.run(
            ["-m", "shop.migrations", "up"],
            stage.versions / "v2",
            STEERWAY_DATA_DIR=str(stage.directory / "data"),
        )
        for _ in range(4)
    ]

    assert [shop.process.wait(20) for shop in shops] == [0, 0, 0, 0]
    assert sorted(shop.text for shop in shops)[0] == "0001_orders\n0002_gift_note\n"
    assert [shop.text for shop in shops].count("nothing to do\n") == 3


def test_orders_survive_the_way_to_v2_and_back(stage: Stage) -> None:
    before = seeded(stage.shop("v1").port)
    second = stage.shop("v2")
    note = buy(second.port, "gift", CART | {"gift_note": "Happy birthday \ud800"})

    back = stage.shop("v1")  # on the database of v2, as after a rollback

    assert note.json["gift_note"] == "Happy birthday ?"
    assert seeded(second.port) == seeded(back.port) == before
    assert buy(back.port, "after the rollback").status == 201
    assert ask(back.port, "/healthz").json["migration"] == 2


def test_the_way_down_keeps_the_orders_and_loses_what_the_migration_brought(stage: Stage) -> None:
    data = stage.directory / "data"
    newer = stage.shop("v2")
    before = seeded(newer.port)
    newer.stop()

    migrations = [sys.executable, "-B", "-m", "shop.migrations"]
    environment = CLEAN | {"STEERWAY_DATA_DIR": str(data)}
    done = subprocess.check_output(
        [*migrations, "down", "1"], cwd=stage.versions / "v1", env=environment, text=True
    )

    assert done == "0002_gift_note\n"
    assert seeded(stage.shop("v1").port) == before
    columns = sqlite3.connect(data / "shop.db").execute("PRAGMA table_info(orders)").fetchall()
    assert "gift_note" not in {column[1] for column in columns}


def test_v5_loses_names_that_no_way_back_returns(stage: Stage) -> None:
    before = seeded(stage.shop("v2").port)
    stage.shop("v5-drop").stop()
    down = stage.run(
        ["-m", "shop.migrations", "down", "2"],
        stage.versions / "v2",
        STEERWAY_DATA_DIR=str(stage.directory / "data"),
    )
    assert down.process.wait(10) == 0

    after = seeded(stage.shop("v2").port)

    assert after["orders"] == before["orders"]
    assert after["sha256"] != before["sha256"]


def test_a_shop_that_may_not_migrate_waits_unhealthy_for_its_database(stage: Stage) -> None:
    stage.shop("v1")

    early = stage.shop("v2", SHOP_MIGRATE="0")

    assert ask(early.port, "/healthz").status == 503
    assert "needs 2" in early.text


def test_the_sick_version_says_why(stage: Stage) -> None:
    shop = stage.shop("v2-sick")

    health = ask(shop.port, "/healthz")

    assert health.status == 503
    assert shop.events[-2]["message"] == "health check failed"
    assert shop.events[-2]["reason"] == "no such table: gift_wraps"


def test_the_bad_version_fails_one_checkout_in_five_and_nothing_else(stage: Stage) -> None:
    shop = stage.shop("v3-bad")

    buys = stage.visit(shop.port, "--mix", "/checkout=1", "--rate", "250", "--count", "500")
    looks = stage.visit(
        shop.port, "--mix", "/=1,/catalog=1,/orders=1", "--count", "60", "--rate", "60"
    )

    assert 75 <= buys["failed"] <= 125
    assert buys["statuses"] == {"201": 500 - buys["failed"], "500": buys["failed"]}
    assert looks["failed"] == 0
    assert "IndexError" in shop.text


def test_the_bad_version_fails_the_same_keys_every_time(stage: Stage) -> None:
    shop = stage.shop("v3-bad")

    once = [buy(shop.port, f"cart-{n}").status for n in range(40)]
    twice = [buy(shop.port, f"cart-{n}").status for n in range(40)]

    assert once.count(500) > 0
    assert [s == 500 for s in once] == [s == 500 for s in twice]


def test_the_slow_version_has_a_p95_of_a_second_and_a_half(stage: Stage) -> None:
    shop = stage.shop("v4-slow")

    seen = stage.visit(shop.port, "--mix", "/catalog=1", "--rate", "80", "--count", "120")

    assert seen["failed"] == 0
    assert 1450 < seen["latency_ms"]["p95"] < 2200
    assert seen["latency_ms"]["p50"] < 200


def test_without_its_supplier_the_shop_still_shows_and_quickly_refuses_to_sell(
    stage: Stage,
) -> None:
    supplier, at = stage.tool("supplier")
    shop = stage.shop("v1", SUPPLIER_URL=at["url"], PAYMENT_KEY=SECRET)
    assert ask(shop.port, "/catalog").json["stock_from"] == "supplier"
    assert buy(shop.port, "paid").status == 201
    supplier.stop()

    refused = buy(shop.port, "unpaid")
    report = stage.visit(shop.port, "--mix", "/checkout=1", "--rate", "20", "--count", "20")

    assert refused.status == 503
    assert refused.headers["retry-after"] == "2"
    assert report["statuses"] == {"503": 20}
    assert report["latency_ms"]["max"] < 1000
    catalog = ask(shop.port, "/catalog").json
    assert catalog["stock_from"] in ("supplier", "memory")  # it is asked every five seconds
    assert catalog["products"][0]["stock"] == 420


def test_a_shop_that_never_met_its_supplier_shows_no_stock(stage: Stage) -> None:
    shop = stage.shop("v1", SUPPLIER_URL=f"http://127.0.0.1:{free_port()}")

    catalog = ask(shop.port, "/catalog")

    assert catalog.status == 200
    assert catalog.json["stock_from"] == "nowhere"
    assert catalog.json["products"][0]["stock"] is None


def test_sigterm_under_load_loses_nothing(stage: Stage) -> None:
    shop = stage.shop("v1")
    sold: list[int] = []
    troubles: list[Exception] = []

    def customer(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=10)
        last = False
        try:
            for cart in range(10_000):
                headers = {"Idempotency-Key": f"{number}-{cart}"}
                connection.request("POST", "/checkout", json.dumps(CART), headers)
                response = connection.getresponse()
                response.read()
                sold.append(response.status)
                last = response.getheader("Connection") == "close"
                if last:
                    break
            assert last, "the shop never said that it closes"
        except (OSError, http.client.HTTPException, AssertionError) as error:
            troubles.append(error)

    customers = [threading.Thread(target=customer, args=(number,)) for number in range(8)]
    for thread in customers:
        thread.start()
    until(lambda: len(sold) > 200, "the shop is busy")
    code = shop.stop()
    for thread in customers:
        thread.join()

    assert troubles == []
    assert code == 0
    assert set(sold) == {201}
    orders = sqlite3.connect(stage.directory / "data" / "shop.db").execute(
        "SELECT count(*) FROM orders"
    )
    assert orders.fetchone()[0] == 1000 + len(sold)


def test_a_request_in_flight_is_answered_before_the_shop_leaves(stage: Stage) -> None:
    shop = stage.shop("v4-slow")
    with socket.create_connection(("127.0.0.1", shop.port), timeout=10) as client:
        client.sendall(b"GET /catalog HTTP/1.1\r\nHost: shop\r\n\r\n")
        shop.process.send_signal(signal.SIGTERM)

        answer = b"".join(iter(lambda: client.recv(65_536), b""))

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.endswith(b"}\n")
    assert shop.process.wait(10) == 0


def test_idle_connections_take_no_thread_from_others_and_the_oldest_make_room(
    stage: Stage,
) -> None:
    shop = stage.shop("v1", SHOP_THREADS="2", LOG_LEVEL="warning")
    idle = [socket.create_connection(("127.0.0.1", shop.port), timeout=5) for _ in range(520)]

    answer = ask(shop.port, "/catalog")

    assert answer.status == 200
    assert idle[0].recv(1) == b""
    for connection in idle:
        connection.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"HELLO\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000, b"431"),
        (b"POST /checkout HTTP/1.1\r\nContent-Length: 99999\r\n\r\n", b"413"),
        (b"POST /checkout HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n", b"400"),
        (b"POST /checkout HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"POST /checkout HTTP/1.1\r\nContent-Length: 9000\r\n\r\n" + b"[" * 9000, b"422"),
        (b"DELETE /orders HTTP/1.1\r\n\r\n", b"405"),
        (b"GET /nowhere HTTP/1.1\r\n\r\n", b"404"),
    ],
)
def test_what_is_no_request_is_refused_and_the_shop_goes_on(
    stage: Stage, sent: bytes, status: bytes
) -> None:
    shop = stage.shop("v1")

    with socket.create_connection(("127.0.0.1", shop.port), timeout=5) as client:
        client.sendall(sent)
        answer = client.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 " + status)
    assert ask(shop.port, "/healthz").status == 200


def test_requests_that_come_in_one_piece_are_answered_in_turn(stage: Stage) -> None:
    shop = stage.shop("v1")
    body = b'{"sku": "decaf"}'
    buy_in_chunks = b"POST /checkout HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    buy_in_chunks += b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)

    with socket.create_connection(("127.0.0.1", shop.port), timeout=5) as client:
        client.sendall(buy_in_chunks + b"GET /version HTTP/1.1\r\nConnection: close\r\n\r\n")
        answers = b"".join(iter(lambda: client.recv(65_536), b""))

    assert answers.startswith(b"HTTP/1.1 201 Created")
    assert answers.count(b"HTTP/1.1 200 OK") == 1
    assert answers.endswith(b'{"version": "v1"}\n')


def test_the_payment_key_is_in_no_log_page_or_metric(stage: Stage) -> None:
    _, at = stage.tool("supplier", "--port", "0")
    shop = stage.shop("v1", PAYMENT_KEY=SECRET, SUPPLIER_URL=at["url"], LOG_LEVEL="debug")

    pages = [ask(shop.port, path).text for path in ("/", "/metrics", "/version", "/nowhere")]
    pages.append(buy(shop.port, "mine").text)
    shop.stop()

    assert SECRET not in shop.text + "".join(pages)


def test_logs_are_json_lines_at_the_wanted_level(stage: Stage) -> None:
    shop = stage.shop("v1")
    ask(shop.port, "/catalog")
    quiet_code = stage.shop("v1", LOG_LEVEL="info").stop()

    line = shop.events[-1]

    assert quiet_code == 0
    assert (line["method"], line["path"], line["status"]) == ("GET", "/catalog", 200)
    assert line["ms"] >= 0
    assert len(line["trace_id"]) == 32


def test_a_bad_environment_is_reported_at_once(stage: Stage) -> None:
    shop = stage.run(["-m", "shop"], stage.versions / "v1", PORT="http", LOG_LEVEL="loud")

    assert shop.process.wait(10) == 2
    assert "PORT is 'http'" in shop.text
    assert "LOG_LEVEL is loud" in shop.text


@pytest.mark.parametrize("file", ["steerway.yaml", "visitors/steerway.yaml"])
def test_the_descriptors_are_short_and_right(versions: Path, file: str) -> None:
    text = (versions / "v2" / file).read_text()

    descriptor.load(text)

    assert len(text.splitlines()) <= 80
