"""How often each variant was given, and how requests ended that had it: cheap, exact, bounded.

The judge of a flag compares `flag_requests_total{flag,variant,outcome}` of the variant that a
rollout is about with that of the rest, as it compares the versions of a canary.
"""

import json
import os
import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROWS_MAX: Final = 10_000  # flags times variants; a file has far fewer
OK: Final = "ok"
ERROR: Final = "error"
Row = tuple[str, str]

# What the request in hand was given, flag by flag; None where nobody watches requests.
given: ContextVar[dict[str, str] | None] = ContextVar("given", default=None)


@dataclass(slots=True)
class Counts:
    """Counts since the process began, from any thread."""

    evaluations: dict[Row, int] = field(default_factory=dict)
    requests: dict[tuple[str, str, str], int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def evaluated(self, flag: str, variant: str) -> None:
        """Note that a flag had a variant."""
        row = flag, variant
        with self.lock:
            seen = self.evaluations.get(row, 0)
            if seen or len(self.evaluations) < ROWS_MAX:
                self.evaluations[row] = seen + 1
        request = given.get()
        if request is not None:
            request[flag] = variant

    def ended(self, variants: dict[str, str], *, failed: bool) -> None:
        """Note how a request ended that was given these variants."""
        outcome = ERROR if failed else OK
        with self.lock:
            for flag, variant in variants.items():
                row = flag, variant, outcome
                seen = self.requests.get(row, 0)
                if seen or len(self.requests) < ROWS_MAX:
                    self.requests[row] = seen + 1

    def metrics(self) -> str:
        """The counts as Prometheus scrapes them; for the end of a service's own metrics."""
        with self.lock:
            evaluations, requests = sorted(self.evaluations.items()), sorted(self.requests.items())
        lines = ["# TYPE flag_evaluations_total counter"]
        lines += [
            f"flag_evaluations_total{{flag={_label(flag)},variant={_label(variant)}}} {count}"
            for (flag, variant), count in evaluations
        ]
        lines.append("# TYPE flag_requests_total counter")
        lines += [
            f"flag_requests_total{{flag={_label(flag)},variant={_label(variant)},"
            f"outcome={_label(outcome)}}} {count}"
            for (flag, variant, outcome), count in requests
        ]
        return "\n".join(lines) + "\n"

    def report(self) -> str:
        """The counts as Steerway reads them from the file that lies beside the flags."""
        evaluations: dict[str, dict[str, int]] = {}
        requests: dict[str, dict[str, dict[str, int]]] = {}
        with self.lock:
            for (flag, variant), count in self.evaluations.items():
                evaluations.setdefault(flag, {})[variant] = count
            for (flag, variant, outcome), count in self.requests.items():
                requests.setdefault(flag, {}).setdefault(variant, {})[outcome] = count
        return json.dumps({"evaluations": evaluations, "requests": requests})


@dataclass(slots=True)
class Reporter:
    """Leaves the counts beside the flags, where Steerway finds them. Never in a request's way."""

    counts: Counts
    folder: Path
    replica: str
    said: str = ""

    def flush(self) -> None:
        """Write what is counted, when it is not what was written before."""
        report = self.counts.report()
        if report == self.said:
            return
        path = self.folder / f"{self.replica}.{os.getpid()}.json"
        draft = path.with_suffix(".draft")
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            draft.write_text(report)
            draft.replace(path)
        except OSError:
            return  # A full disk costs a count and no request.
        self.said = report


def _label(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
