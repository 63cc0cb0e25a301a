"""Shows pages of 20,000 samples on a port; every look finds other values.

    python page.py PORT

The lines are those of a busy program: counters, gauges and histograms with four labels.
"""

import random
import sys
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Final

LINES: Final = 20_000
PAGES: Final = 12
METRICS: Final = 100


def pages() -> list[bytes]:
    """The same page at several moments: counters rise, gauges move, much stays as it is."""
    chance = random.Random(3)
    counts = [chance.randrange(1_000_000) for _ in range(LINES)]
    found = []
    for _ in range(PAGES):
        for line in range(LINES):
            if line % 3:
                counts[line] += chance.randrange(200)
        found.append(_page(counts, chance))
    return found


def _page(counts: list[int], chance: random.Random) -> bytes:
    lines = []
    each = LINES // METRICS
    for metric in range(METRICS):
        kind = "gauge" if metric % 4 == 0 else "counter"
        name = f"app_part_{metric}_{'bytes' if kind == 'gauge' else 'total'}"
        lines += [f"# HELP {name} What part {metric} of the program does.", f"# TYPE {name} {kind}"]
        for one in range(each):
            count = counts[metric * each + one]
            value = f"{count * chance.random():.6f}" if kind == "gauge" else str(count)
            labels = (
                f'handler="/api/v1/things/{one % 20}",method="{"GET" if one % 2 else "POST"}",'
                f'code="20{one % 7}",pod="app-{one}"'
            )
            lines.append(f"{name}{{{labels}}} {value}")
    return ("\n".join(lines) + "\n").encode()


def main() -> None:
    shown = cycle(pages())

    class Page(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = next(shown)
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):  # whoever asked is told to end
                self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()


if __name__ == "__main__":
    main()
