"""A stand-in for the shop's supplier: it charges cards, knows the stock, and fails when told to.

    python supplier.py [--port 0] [--state-file FILE]

Prints its address as JSON on the first line. Its state is `up`, `down` (503), `slow` (answers after
five seconds) or `gone` (hangs up without a word); set it by POST /control {"state": "down"}, or by
writing the word into the file. The status page answers always, as status pages should.
"""

import argparse
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

STATES = {
    "up": ("none", "All Systems Operational"),
    "slow": ("minor", "Degraded Performance"),
    "down": ("critical", "Major System Outage"),
    "gone": ("critical", "Major System Outage"),
}
SLOW_SECONDS = 5.0
STOCK = {"house": 420, "yirgacheffe": 36, "huila": 88, "sidamo": 12, "antigua": 140, "decaf": 65}
BODY_BYTES_MAX = 65_536


class Supplier(ThreadingHTTPServer):
    """The supplier's state, and what it was asked."""

    daemon_threads = True

    def __init__(self, port: int, state_file: Path | None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.state_file = state_file
        self.told = "up"
        self.lock = threading.Lock()
        self.charges: dict[str, int] = {}
        self.requests = 0

    @property
    def state(self) -> str:
        """The word in the file if there is one we know, else what we were told last."""
        if self.state_file and self.state_file.exists():
            word = self.state_file.read_text().strip()
            return word if word in STATES else self.told
        return self.told


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Supplier

    def do_GET(self) -> None:
        """Status page, stock and control."""
        if self.path == "/api/v2/status.json":
            self.answer(200, status_page(self.server.state))
        elif self.path == "/control":
            self.answer(200, self.control())
        elif self.path == "/stock":
            self.when_up(lambda: STOCK)
        else:
            self.answer(404, {"error": "not found"})

    def do_POST(self) -> None:
        """Charges and control."""
        body = self.body()
        if self.path == "/control" and body.get("state") in STATES:
            self.server.told = str(body["state"])
            self.answer(200, self.control())
        elif self.path == "/control":
            self.answer(422, {"error": f"state is one of {', '.join(STATES)}"})
        elif self.path == "/charge":
            self.when_up(lambda: self.charge(body))
        else:
            self.answer(404, {"error": "not found"})

    def when_up(self, work: Callable[[], object]) -> None:
        """Answer as the state allows."""
        state = self.server.state
        self.server.requests += 1
        if state == "gone":
            self.close_connection = True
            return
        if state == "slow":
            time.sleep(SLOW_SECONDS)
        if state == "down":
            self.answer(503, {"error": "down"})
        else:
            self.answer(200, work())

    def charge(self, body: dict[str, object]) -> dict[str, object]:
        """Take money once for each key."""
        key, cents = str(body.get("key")), body.get("cents")
        with self.server.lock:
            first = key not in self.server.charges
            self.server.charges.setdefault(key, cents if isinstance(cents, int) else 0)
        return {"charged": True, "first": first}

    def control(self) -> dict[str, object]:
        """What the supplier knows about itself."""
        server = self.server
        return {"state": server.state, "requests": server.requests, "charges": len(server.charges)}

    def body(self) -> dict[str, object]:
        """The request's JSON object, or an empty one."""
        length = min(int(self.headers.get("Content-Length") or 0), BODY_BYTES_MAX)
        try:
            value = json.loads(self.rfile.read(length))
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def answer(self, status: int, value: object) -> None:
        """Send JSON."""
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the control page counts."""


def status_page(state: str) -> dict[str, object]:
    """What a hosted status page says.

    Source: Atlassian Statuspage API v2, status.json.
    """
    indicator, description = STATES[state]
    page = {
        "id": "mock-supplier",
        "name": "Mock supplier",
        "url": "http://localhost",
        "time_zone": "Etc/UTC",
        "updated_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return {"page": page, "status": {"indicator": indicator, "description": description}}


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description="A supplier that fails when told to.")
    parser.add_argument("--port", type=int, default=0, help="a free one by default")
    parser.add_argument("--state-file", type=Path, help="a file that says up, down, slow or gone")
    options = parser.parse_args()
    server = Supplier(options.port, options.state_file)
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
