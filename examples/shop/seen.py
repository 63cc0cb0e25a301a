"""What the visitors sent and saw: one call, and the counts over all of them."""

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import IO

PRECISION = math.log(1.02)  # percentiles are right to 2 %, whatever the number of requests


@dataclass(slots=True)
class Call:
    """One request, from the moment it was due to what became of it."""

    number: int
    due: float
    method: str
    path: str
    body: bytes = b""
    key: str = ""
    sent: float = 0.0
    reused: bool = False
    retried: bool = False
    status: int = 0
    version: str = ""


class Histogram:
    """Durations in buckets that grow by 2 %."""

    def __init__(self) -> None:
        self.buckets: Counter[int] = Counter()
        self.total = 0
        self.greatest = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.buckets[math.ceil(math.log(max(seconds, 1e-6)) / PRECISION)] += 1
        self.total += 1
        self.greatest = max(self.greatest, seconds)

    def percentile(self, percent: float) -> float | None:
        """Milliseconds that `percent` of the durations did not exceed; None without durations."""
        left = math.ceil(self.total * percent / 100)
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 0:
                return round(min(math.exp(bucket * PRECISION), self.greatest) * 1000, 3)
        return None

    def summary(self) -> dict[str, float | None]:
        """The usual percentiles, in milliseconds."""
        named = {f"p{p:g}": self.percentile(p) for p in (50, 90, 95, 99, 99.9)}
        return named | {"max": round(self.greatest * 1000, 3) if self.total else None}


@dataclass
class Group:
    """What one version, or one route, answered."""

    requests: int = 0
    failed: int = 0
    latency: Histogram = field(default_factory=Histogram)

    def add(self, call: Call, kind: str, latency: float) -> None:
        """Count one finished call."""
        self.requests += 1
        self.failed += kind != ""
        if call.status or kind == "timeout":  # Leaving out the slowest would flatter the server.
            self.latency.add(latency)

    def summary(self) -> dict[str, object]:
        """Shape: requests, failed, latency_ms."""
        return {
            "requests": self.requests,
            "failed": self.failed,
            "latency_ms": self.latency.summary(),
        }


class Tally:
    """Everything seen, counted once, and written line by line where asked."""

    def __init__(self, log: IO[str] | None) -> None:
        self.log = log
        self.everything = Group()
        self.versions: dict[str, Group] = {}
        self.routes: dict[str, Group] = {}
        self.statuses: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.late = Histogram()
        self.reused_retries = 0
        self.failed_first: float | None = None
        self.failed_last: float | None = None

    def finish(self, call: Call, kind: str, now: float, start: float) -> None:
        """Record what became of a call: `kind` is empty, or why it failed."""
        latency = now - call.due
        self.everything.add(call, kind, latency)
        self.versions.setdefault(call.version or "none", Group()).add(call, kind, latency)
        self.routes.setdefault(f"{call.method} {call.path}", Group()).add(call, kind, latency)
        if call.status:
            self.statuses[str(call.status)] += 1
        if call.sent and not call.retried:
            self.late.add(max(call.sent - call.due, 0.0))
        if kind:
            self.failures[kind] += 1
            self.failed_first = now - start if self.failed_first is None else self.failed_first
            self.failed_last = now - start
        if self.log:
            self.write(call, kind, now, start)

    def write(self, call: Call, kind: str, now: float, start: float) -> None:
        """Append one call to the log.

        Units: `due` in seconds since the start; `ms` since due, `service_ms` since sent.
        """
        line = {
            "n": call.number,
            "due": round(call.due - start, 6),
            "method": call.method,
            "path": call.path,
            "key": call.key or None,
            "status": call.status or None,
            "version": call.version or None,
            "ms": round((now - call.due) * 1000, 3),
            "service_ms": round((now - call.sent) * 1000, 3) if call.sent else None,
            "failed": kind or None,
            "reused_retry": call.retried,
        }
        assert self.log
        self.log.write(json.dumps(line) + "\n")
