"""One JSON object a line on standard output."""

import json
import sys
import threading
from datetime import UTC, datetime

from shop import VERSION
from shop.settings import LEVELS
from shop.telemetry import current


class Log:
    """Writes whole lines, one at a time, from the wanted level up."""

    def __init__(self, level: str) -> None:
        self._lowest = LEVELS.index(level)
        self._lock = threading.Lock()

    def write(self, level: str, message: str, **fields: object) -> None:
        """Write one event. A reader that went away must not take the shop with it."""
        if LEVELS.index(level) < self._lowest:
            return
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        event = {"at": at, "level": level, "message": message, "version": VERSION, **fields}
        if span := current():
            event |= {"trace_id": span.trace, "span_id": span.id}
        line = json.dumps(event, default=str, ensure_ascii=False) + "\n"
        with self._lock:
            try:
                sys.stdout.write(line)
                sys.stdout.flush()
            except (BrokenPipeError, ValueError):
                self._lowest = len(LEVELS)
