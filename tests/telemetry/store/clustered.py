"""A process whose engine is a cluster of one shard: the tables are distributed, really.

Replicas and statements on all servers need ClickHouse Keeper, which no engine in a process has:
those words are left out here, and nothing else. It takes a home and prints what it found.
"""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from steerway.telemetry.retention import queries
from steerway.telemetry.retention.rules import Keep
from steerway.telemetry.retention.workflows.tending import Tending
from steerway.telemetry.store import Store, embedded
from steerway.telemetry.store.embedded import Embedded
from steerway.telemetry.store.layout import Layout
from steerway.telemetry.store.schema import migrate
from tests.telemetry.seeding import seed, seed_samples

CLUSTER = """
<clickhouse><tcp_port>9000</tcp_port><remote_servers><telemetry><shard><replica>
<host>127.0.0.1</host><port>9000</port>
</replica></shard></telemetry></remote_servers></clickhouse>
"""
DAY = datetime(2026, 3, 2, tzinfo=UTC)
KEEP = Keep(metrics=15, rollups=400, logs=10, traces=7, requests=15)
OF_SERIES = """
SELECT sum(value) AS s FROM samples
WHERE id IN (SELECT id FROM series WHERE labels['service'] = 'shop')
SETTINGS distributed_product_mode = 'global'
"""


class OneShard(Embedded):
    """The engine, asked as a cluster is asked."""

    layout = Layout("telemetry")

    def command(self, sql: str, params: Mapping[str, object]) -> None:
        """Leave out what needs a keeper."""
        super().command(
            sql.replace(" ON CLUSTER 'telemetry'", "").replace("ENGINE = Replicated", "ENGINE = "),
            params,
        )


def main(home: Path) -> None:
    """Write through the distributed tables, read, roll up and drop."""
    home.mkdir()
    config = home / "cluster.xml"
    config.write_text(CLUSTER)
    embedded.ENGINE["config-file"] = str(config)  # type: ignore[assignment]  # a path, for once
    store = Store(OneShard(home / "telemetry", 400 * 1024 * 1024))
    migrate(store)
    migrate(store)
    start = DAY.timestamp()
    id_ = seed_samples(store, "m", {"service": "shop"}, [(start + n, n) for n in range(300)])
    seed(store, "logs", [{"ts": DAY - timedelta(days=20), "body": "x"}, {"ts": DAY, "body": "y"}])
    Tending(store, KEEP).round(DAY + timedelta(hours=1), None)
    until = DAY + timedelta(hours=1)
    rise = queries.increase(store, metric="m", ids=[id_], since=DAY, until=until)
    found = {
        "sum": store.table(OF_SERIES)["s"][0].as_py(),
        "stored": store.table("SELECT count() AS n FROM samples_local")["n"][0].as_py(),
        "rise": list(rise.values()),
        "logs": store.table("SELECT body FROM logs")["body"].to_pylist(),
        "tables": sorted({part.table for part in queries.parts(store)}),
    }
    store.close()
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
