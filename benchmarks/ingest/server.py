"""A server of nothing but the doors for telemetry and the store, in a process of its own.

    python benchmarks/ingest/server.py HOME PORT

It is told to end with SIGTERM. SIGUSR1 has it merge what it stored.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path

import uvicorn

from steerway.app.intake import TelemetryDoor, Writer
from steerway.platform import clock
from steerway.platform.settings import load
from steerway.telemetry import store as stores
from steerway.telemetry.ingest.rules.limits import IngestLimits
from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.receiving.workflows import Receiver

SIZE = """
SELECT sum(bytes_on_disk) AS bytes, sumIf(rows, table = 'samples') AS rows
FROM system.parts WHERE active AND table IN ('samples', 'series')
"""


def main(home: Path, port: int) -> None:
    """Serve until told to end."""
    store = stores.open(load({"STEERWAY_HOME": str(home)}))
    limits = IngestLimits(series_max=1_000_000)
    intake = Intake(stores.current, now=clock.now, journal=home / "ingest", limits=limits)
    intake.start()
    receiver = Receiver(intake)
    door = TelemetryDoor(
        lambda: receiver,
        lambda _: Writer(may=True),
        body_bytes=limits.body_bytes,
        held_bytes=limits.held_bytes,
    )

    def merge(*_: object) -> None:
        for table in ("samples", "series"):
            store.execute(f"OPTIMIZE TABLE {table} FINAL")
        found = store.table(SIZE).to_pylist()[0]
        (home / "size.json").write_text(json.dumps({k: int(v) for k, v in found.items()}))

    config = uvicorn.Config(door, port=port, log_config=None, lifespan="off", access_log=False)
    signal.signal(signal.SIGUSR1, merge)
    asyncio.run(uvicorn.Server(config).serve())
    intake.stop()
    stores.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
