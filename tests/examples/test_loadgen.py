import json
import signal
import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tests.examples.faults import GOOD, faulty
from tests.examples.stage import KIT, Stage, free_port, until

BUYS = ("--mix", "/checkout=1", "--rate", "200")
LOOKS = ("--mix", "/catalog=1", "--rate", "200")


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_failure_is_counted_as_what_it_was(stage: Stage) -> None:
    script = ["good", "status", "chunked", "closed", "good", "truncated", "malformed", "timeout"]
    with faulty(script) as server:
        report = stage.visit(server.port, *BUYS, "--count", "160", "--timeout", "1")

    done = server.done
    assert sum(done.values()) == 160
    assert report["requests"] == report["scheduled"] == 160
    assert report["failures"] == {
        kind: done[kind] for kind in ("status", "closed", "truncated", "malformed", "timeout")
    }
    assert report["failed"] == 100
    assert report["reused_retry"] == 0
    assert report["versions"]["v9"]["requests"] == 80
    assert report["versions"]["v9"]["failed"] == done["status"]
    assert report["statuses"] == {"200": 60, "503": 20}


def test_a_get_is_repeated_once_when_its_reused_connection_was_closed(stage: Stage) -> None:
    with faulty(["good", "good", "closed"]) as server:
        report = stage.visit(server.port, *LOOKS, "--count", "1")
        gets = stage.visit(server.port, "--mix", "/=1", "--rate", "50", "--count", "40")
        posts = stage.visit(server.port, "--mix", "/checkout=1", "--rate", "50", "--count", "40")

    assert report["failed"] == 0
    assert gets["reused_retry"] > 0
    assert gets["requests"] == 40
    assert posts["reused_retry"] == 0
    assert posts["failures"]["closed"] > 0


def test_nobody_listening_is_a_failure_and_the_exit_code_says_so(stage: Stage) -> None:
    url = f"http://127.0.0.1:{free_port()}"

    visitors = stage.run(["loadgen.py", "--url", url, "--count", "5", "--fail-on-error"], KIT)

    assert visitors.process.wait(20) == 1
    assert '"refused": 5' in visitors.text


def test_a_stall_is_seen_by_everyone_who_was_due_during_it(stage: Stage) -> None:
    log = stage.directory / "seen.jsonl"
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        port = listener.getsockname()[1]
        stalled = threading.Thread(target=serve_after_a_stall, args=(listener, 0.5), daemon=True)
        stalled.start()
        report = stage.visit(port, *LOOKS, "--count", "100", "--log", str(log))
        listener.shutdown(socket.SHUT_RDWR)
        stalled.join()

    slow = [line for line in lines(log) if float(str(line["ms"])) > 50]
    assert report["failed"] == 0
    assert len(slow) >= 60  # 100 requests were due in the half second; a closed loop would see one
    assert report["latency_ms"]["p50"] > 100


def serve_after_a_stall(listener: socket.socket, seconds: float) -> None:
    first, _ = listener.accept()  # the stall begins with the first request, not with the process
    threading.Event().wait(seconds)
    threading.Thread(target=answer_all, args=(first,), daemon=True).start()
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=answer_all, args=(peer,), daemon=True).start()


def answer_all(peer: socket.socket) -> None:
    with peer, suppress(OSError):
        while peer.recv(65_536):
            peer.sendall(GOOD)


@pytest.mark.parametrize("rate", [100, 300])
def test_a_rate_is_kept_within_a_sixth_of_a_core(stage: Stage, rate: int) -> None:
    shop = stage.shop("v1", LOG_LEVEL="warning")

    report = stage.visit(shop.port, "--rate", str(rate), "--duration", "2")

    assert report["scheduled"] == report["requests"] == 2 * rate
    assert report["failed"] == 0
    assert report["seconds"] < 3
    assert report["cpu_seconds"] / report["seconds"] < 0.15


def test_the_same_seed_sends_the_same_requests(stage: Stage) -> None:
    logs = [stage.directory / name for name in ("one.jsonl", "two.jsonl")]
    with faulty(["good"]) as server:
        for log in logs:
            stage.visit(server.port, "--rate", "400", "--count", "40", "--log", str(log))

    one, two = (
        [(line["n"], line["path"], line["key"]) for line in sorted_lines(log)] for log in logs
    )
    assert one == two
    assert {path for _, path, _ in one} == {"/", "/catalog", "/orders", "/checkout"}


def sorted_lines(path: Path) -> list[dict[str, object]]:
    return sorted(lines(path), key=lambda line: int(str(line["n"])))


def test_told_to_stop_it_reports_what_it_saw(stage: Stage) -> None:
    shop = stage.shop("v1")
    url = f"http://shop.localhost:{shop.port}"
    visitors = stage.run(["loadgen.py", "--rate", "50", "--progress", "0.2"], KIT, SHOP_URL=url)
    until(lambda: "(v1 " in visitors.text, "it has seen something")

    visitors.process.send_signal(signal.SIGTERM)

    assert visitors.process.wait(10) == 0
    report = json.loads(visitors.text[visitors.text.index("{\n") :])
    assert report["failed"] == 0
    assert report["host"] == f"shop.localhost:{shop.port}"
    assert report["requests"] == report["scheduled"] > 0
