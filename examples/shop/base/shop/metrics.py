"""Counters and durations, as Prometheus text and for OTLP."""

import threading
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

from shop import VERSION

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

Labels = tuple[tuple[str, str], ...]


@dataclass
class Durations:
    """A histogram of seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


class Metrics:
    """What the shop counts about itself, since it started."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: Counter[tuple[str, Labels]] = Counter()
        self._durations: dict[Labels, Durations] = {}
        self._transactions = Durations()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        labels: Labels = (("method", method), ("route", route), ("status", str(status)))
        with self._lock:
            self._counters["shop_http_requests_total", labels] += 1
            self._durations.setdefault((("route", route),), Durations()).add(seconds)

    def order(self, cents: int) -> None:
        """Count one order."""
        self.count("shop_orders_total")
        self.count("shop_revenue_cents_total", cents)

    def transaction(self, seconds: float) -> None:
        """Count one write to the database, its wait for the lock included."""
        with self._lock:
            self._transactions.add(seconds)

    def supplier(self, outcome: str) -> None:
        """Count one call to the supplier."""
        self.count("shop_supplier_calls_total", 1, (("outcome", outcome),))

    def dropped(self, signal: str, number: int) -> None:
        """Count telemetry that nobody received."""
        self.count("shop_telemetry_dropped_total", number, (("signal", signal),))

    def count(self, name: str, number: int = 1, labels: Labels = ()) -> None:
        """Add to a counter."""
        with self._lock:
            self._counters[name, labels] += number

    def counters(self) -> dict[tuple[str, Labels], int]:
        """All counters at one moment."""
        with self._lock:
            return dict(self._counters)

    def durations(self) -> dict[Labels, tuple[list[int], float]]:
        """All histograms at one moment: counts per bucket, and the sum of seconds."""
        with self._lock:
            return {labels: (list(d.counts), d.total) for labels, d in self._durations.items()}

    def transactions(self) -> tuple[list[int], float]:
        """Writes to the database: counts per bucket, and the sum of seconds."""
        with self._lock:
            return list(self._transactions.counts), self._transactions.total

    def text(self) -> str:
        """The Prometheus text format, version 0.0.4."""
        lines = ["# TYPE shop_build_info gauge", f'shop_build_info{{version="{VERSION}"}} 1']
        named = ""
        for (name, labels), value in sorted(self.counters().items()):
            if name != named:
                lines.append(f"# TYPE {name} counter")
                named = name
            lines.append(f"{name}{braces(labels)} {value}")
        lines.append("# TYPE shop_http_request_seconds histogram")
        for labels, (counts, total) in sorted(self.durations().items()):
            lines += histogram_lines("shop_http_request_seconds", labels, counts, total)
        name = "shop_database_transaction_seconds"
        lines.append(f"# TYPE {name} histogram")
        lines += histogram_lines(name, (), *self.transactions())
        return "\n".join(lines) + "\n"


def histogram_lines(name: str, labels: Labels, counts: list[int], total: float) -> list[str]:
    """One histogram in the text format; its buckets are cumulative."""
    lines, below = [], 0
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
        below += count
        lines.append(f"{name}_bucket{braces((*labels, ('le', bound)))} {below}")
    lines.append(f"{name}_sum{braces(labels)} {total:.6f}")
    lines.append(f"{name}_count{braces(labels)} {below}")
    return lines


def braces(labels: Labels) -> str:
    """Labels as the text format writes them; every value is one of ours, so none needs escapes."""
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}" if labels else ""
