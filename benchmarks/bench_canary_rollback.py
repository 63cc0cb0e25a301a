"""How long a bad canary stays, from its first bad answer to the restored route: for real.

    python benchmarks/bench_canary_rollback.py [--rollouts 10]

A service under 100 requests a second, with the real router, real processes and the default steps
(1 % first). Its new configuration answers every request, or every second one, with 500. Bounds:
nobody who only reads sees a failure; where every request fails, the median is at most 3 s. At one
request a second three failures are needed to be sure, so half as many take twice as long.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import yaml
from bench_no_failed_requests import SHOP, memory, stage

sys.path.insert(0, str(SHOP))

from story import Stage

RATE: Final = 100
ROLLOUTS: Final = 10
BOUND_SECONDS: Final = 3.0
SETTLE_SECONDS: Final = 2.0
PROGRAM: Final = """
import os, itertools
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EVERY = int(os.environ["FAIL_EVERY"])
COUNT = itertools.count(1)

class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        bad = EVERY and self.path != "/healthz" and next(COUNT) % EVERY == 0
        self.send_response(500 if bad else 200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rollouts", type=int, default=ROLLOUTS)
    rollouts = parser.parse_args().rollouts
    with stage() as one:
        one.run("up")
        repository(one)
        apply(one, fails_every=0, attempt=0)
        one.run("deploy", "brittle")
        print(f"{'answers 500':<16}{'rollouts':>9}{'median s':>10}{'worst s':>9}"
              f"{'bad attempts':>14}{'requests':>10}{'failed':>8}")  # fmt: skip
        good = [show(one, every, rollouts) for every in (1, 2)]
        print(f"\nserver memory: {memory(one)}")
    return 0 if all(good) else 1


def show(one: Stage, every: int, rollouts: int) -> bool:
    """Let so many bad configurations try; print how long they stayed."""
    report = one.home / "visitors.json"
    command = [sys.executable, str(SHOP / "loadgen.py"), "--rate", str(RATE), "--mix", "/=100"]
    command += ["--url", f"http://brittle.localhost:{one.router_port}", "--report", str(report)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        stayed = [stay(one, every, attempt) for attempt in range(1, rollouts + 1)]
    finally:
        process.terminate()
        process.wait(30)
    seen = json.loads(report.read_text())
    seconds = [one[0] for one in stayed]
    median = statistics.median(seconds)
    is_good = (every > 1 or median <= BOUND_SECONDS) and seen["failed"] == 0
    said = "within its bound" if is_good else "OUT OF ITS BOUND"
    label = "always" if every == 1 else f"every {every}nd"
    print(f"{label:<16}{rollouts:>9}{median:>10.2f}{max(seconds):>9.2f}"
          f"{statistics.median(one[1] for one in stayed):>14.0f}{seen['requests']:>10}"
          f"{seen['failed']:>8}  {said}", flush=True)  # fmt: skip
    return is_good


def stay(one: Stage, every: int, attempt: int) -> tuple[float, int]:
    """Seconds from the first bad answer to the restored route, and how many there were."""
    apply(one, fails_every=every, attempt=attempt)
    time.sleep(SETTLE_SECONDS)
    one.run("deploy", "brittle", fails=True)
    text = one.run("log", "export")
    events = [json.loads(line) for line in text.splitlines()]
    restored = [e for e in events if e["type"].endswith("route.pointed")][-1]
    begun = [e for e in events if e["type"].endswith("analysis.begun")][-1]
    lines = (one.home / "log" / "failures.log").read_text().splitlines()
    moments = [moment(json.loads(line)["at"]) for line in lines]
    since = moment(begun["time"])
    bad = [at for at in moments if at >= since]
    return (moment(restored["time"]) - min(bad)).total_seconds(), len(bad)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def repository(one: Stage) -> None:
    """A service of one file."""
    folder = one.home / "brittle"
    folder.mkdir()
    (folder / "app.py").write_text(PROGRAM)
    for words in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-qm", "one file")):
        identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
        subprocess.run(["git", *identity, *words], cwd=folder, check=True)


def apply(one: Stage, *, fails_every: int, attempt: int) -> None:
    """Declare the service with another configuration, which is a new version of it."""
    run: dict[str, Any] = {
        "command": "python app.py",
        "replicas": 2,
        "environment": {"FAIL_EVERY": str(fails_every), "ATTEMPT": f"{fails_every}-{attempt}"},
    }
    document = {
        "steerway": 1,
        "service": "brittle",
        "description": "Fails when it is told to.",
        "owners": ["bench"],
        "source": {"repository": str(one.home / "brittle")},
        "build": {"kind": "command", "command": "true"},
        "run": run,
        "release": {"strategy": "canary"},
        "environments": [{"name": "production"}],
    }
    file = Path(one.home) / "brittle.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    one.run("apply", "--file", str(file))


if __name__ == "__main__":
    sys.exit(main())
