"""Visitors of the shop at a fixed rate, while something is done to it."""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.journeys.installation import CHECKOUT, Installation, until

LOADGEN: Final = CHECKOUT / "examples" / "shop" / "loadgen.py"


@dataclass
class Visit:
    """What was seen, once the visit is over; `answers` counts as it goes."""

    progress: Path
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def answers(self) -> int:
        """Responses until a moment ago."""
        lines = self.progress.read_text().splitlines()
        return int(lines[-1].partition(" ")[0]) if lines else 0

    def failed(self) -> dict[str, int]:
        """Failed requests by route, those without a failure left out."""
        routes = self.report["routes"]
        return {name: seen["failed"] for name, seen in routes.items() if seen["failed"]}

    def gets_failed(self) -> int:
        """How many requests that only read have failed."""
        return sum(count for name, count in self.failed().items() if name.startswith("GET"))

    def versions(self) -> set[str]:
        """Versions that answered."""
        return set(self.report["versions"])


@contextmanager
def visitors(
    installation: Installation, *, rate: float = 100, host: str = "shop.localhost", mix: str = ""
) -> Iterator[Visit]:
    """Visit from before the block until after it, and count."""
    with tempfile.TemporaryDirectory(prefix="visit") as directory:
        report = Path(directory) / "report.json"
        visit = Visit(Path(directory) / "progress.txt")
        url = f"http://{host}:{installation.router_port}"
        command = [sys.executable, str(LOADGEN), "--url", url, "--rate", str(rate)]
        command += ["--report", str(report), "--seed", "7", "--progress", "0.2"]
        command += ["--mix", mix] if mix else []
        with visit.progress.open("w") as progress:
            process = subprocess.Popen(command, stdout=progress)
        try:
            until(lambda: visit.answers, "the first answers")
            yield visit
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            visit.report = json.loads(report.read_text())
