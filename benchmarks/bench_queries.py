"""Ten range queries over the same samples, by Steerway and by Debian's Prometheus, in turns.

    PYTHONPATH=. python benchmarks/bench_queries.py [SERIES]

Both answer over HTTP on this machine; each query is asked in turns, once before it counts. Bound:
the median of the ten ratios of median times is at most 1.0, none is above 3.
"""

import asyncio
import shutil
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import pyarrow as pa
import uvicorn
from numpy.typing import NDArray

from steerway.app.prometheus import Prometheus
from steerway.platform.settings import load
from steerway.telemetry import store as stores
from steerway.telemetry.metrics.rules import QueryLimits
from steerway.telemetry.store import Store, series_id
from tests.peers import prometheus as peer

SERIES: Final = 1_000
HOURS, EVERY_SECONDS, STEP_SECONDS = 6, 15, 60
TIMES: Final = 5
MEDIAN_BOUND, WORST_BOUND = 1.0, 3.0
# Off the moments of the samples: Prometheus 2 closes windows on both sides.
OFF_MS: Final = 7_000
BLOCK: Final = 10
ROWS: Final = 2_000_000
BOUNDS: Final = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "+Inf")

REQUESTS: Final = "http_requests_total"
QUERIES: Final = {
    "instant selector": "up",
    "sum of rates": f"sum by (job) (rate({REQUESTS}[5m]))",
    "error ratio": f'sum by (job) (rate({REQUESTS}{{code=~"5.."}}[5m])) '
    f"/ sum by (job) (rate({REQUESTS}[5m]))",
    "burn rate": f'sum by (job) (rate({REQUESTS}{{code=~"5.."}}[1h])) '
    f"/ sum by (job) (rate({REQUESTS}[1h])) > 0.001 "
    f'and sum by (job) (rate({REQUESTS}{{code=~"5.."}}[5m])) '
    f"/ sum by (job) (rate({REQUESTS}[5m])) > 0.001",
    "95th percentile": "histogram_quantile(0.95, "
    "sum by (job, le) (rate(http_request_duration_seconds_bucket[5m])))",
    "cpu in use": '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))',
    "memory short": "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.2",
    "group_left": f"sum by (instance) (rate({REQUESTS}[5m])) * on (instance) group_left (job) up",
    "topk": f"topk(5, sum by (instance) (rate({REQUESTS}[5m])))",
    "or, unless": "up == 0 or node_memory_MemAvailable_bytes < 1e9 unless on (instance) up == 0",
}


def instance(number: int) -> list[dict[str, str]]:
    """The 34 series of one process and its host."""
    own = {"job": f"service-{number % 10}", "instance": f"host-{number}:9100"}

    def one(name: str, **labels: str) -> dict[str, str]:
        return {"__name__": name, **own, **labels}

    duration = "http_request_duration_seconds"
    return [
        one("up"),
        one("node_memory_MemAvailable_bytes"),
        one("node_memory_MemTotal_bytes"),
        *(
            one("node_cpu_seconds_total", cpu=cpu, mode=mode)
            for cpu in "01"
            for mode in ("idle", "user", "system", "iowait")
        ),
        *(
            one(REQUESTS, code=code, method=method)
            for code in ("200", "201", "404", "500", "503")
            for method in ("GET", "POST")
        ),
        *(one(f"{duration}_bucket", le=bound) for bound in BOUNDS),
        one(f"{duration}_sum"),
        one(f"{duration}_count"),
    ]


def values(series: list[dict[str, str]], steps: int, rng: np.random.Generator) -> Any:
    """Counters that grow and sometimes begin anew, and gauges that wander."""
    found = np.cumsum(rng.poisson(3.0, (len(series), steps)), axis=1).astype(np.float64)
    for row, labels in enumerate(series):
        name = labels["__name__"]
        if name == "up":
            found[row] = rng.random(steps) > 0.001
        elif name.endswith("MemTotal_bytes"):
            found[row] = 8e9
        elif name.endswith("MemAvailable_bytes"):
            found[row] = np.clip(4e9 + np.cumsum(rng.normal(0, 2e7, steps)), 5e8, 8e9).round()
        elif "le" in labels:
            found[row] *= BOUNDS.index(labels["le"]) + 1
        elif row % 97 == 0:
            found[row, steps // 2 :] -= found[row, steps // 2]
    return found


def fill(store: Store, other: peer.Peer, series: list[dict[str, str]], start: int) -> float:
    """The same samples for both, in the order of time; the end in milliseconds."""
    steps = HOURS * 3600 // EVERY_SECONDS + 1
    rng = np.random.default_rng(7)
    found = values(series, steps, rng)
    times = start + 1000 * EVERY_SECONDS * np.arange(steps)
    heads = [peer.head(labels) for labels in series]
    for at in range(0, steps, BLOCK):
        for rows in range(0, len(series), 5_000):
            part = slice(rows, rows + 5_000)
            moments = times[at : at + BLOCK].tolist()
            other.write(peer.written(heads[part], moments, found[part, at : at + BLOCK]))
    keep(store, series, times, found)
    return float(times[-1])


def keep(
    store: Store, series: list[dict[str, str]], times: NDArray[np.int64], found: NDArray[np.float64]
) -> None:
    """Samples as the intake stores them: a block of time after the other."""
    names = [labels["__name__"] for labels in series]
    rest = [{k: v for k, v in one.items() if k != "__name__"} for one in series]
    ids = np.array([series_id(n, r) for n, r in zip(names, rest, strict=True)], np.uint64)
    moment = pa.timestamp("ms", "UTC")
    ends = [pa.array(np.full(len(ids), edge), moment) for edge in (times[0], times[-1])]
    store.insert(
        "series",
        pa.table(
            {
                "metric": names,
                "id": ids,
                "labels": pa.array(rest, pa.map_(pa.string(), pa.string())),
                "service": [one["job"] for one in rest],
                "min_ts": ends[0],
                "max_ts": ends[1],
            }
        ),
    )
    metric = pa.array(names).dictionary_encode()
    each = max(1, ROWS // len(ids))
    for at in range(0, len(times), each):
        part = times[at : at + each]
        store.insert(
            "samples",
            pa.table(
                {
                    "metric": metric.take(pa.array(np.repeat(np.arange(len(ids)), len(part)))),
                    "id": np.repeat(ids, len(part)),
                    "ts": pa.array(np.tile(part, len(ids)), moment),
                    "value": found[:, at : at + each].reshape(-1),
                }
            ),
        )


@contextmanager
def served(store: Store) -> Iterator[str]:
    """Steerway's door of Prometheus clients, over HTTP."""
    door = Prometheus(lambda: store, lambda _: True, QueryLimits(seconds=120))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await door(scope, receive, send)

    port = peer.free_port()
    config = uvicorn.Config(app, port=port, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
        asyncio.run(door.close())


def timed(url: str, query: str, end_ms: float) -> tuple[float, int]:
    """Milliseconds until the whole answer is here, and its bytes."""
    last = (end_ms - OFF_MS) / 1000
    params = {"query": query, "start": f"{last - HOURS * 3600 + 3600:.3f}", "end": f"{last:.3f}"}
    params |= {"step": str(STEP_SECONDS)}
    address = f"{url}/api/v1/query_range?{urllib.parse.urlencode(params)}"
    began = time.perf_counter()
    with urllib.request.urlopen(address, timeout=300) as answer:
        size = len(answer.read())
    return 1000 * (time.perf_counter() - began), size


def compare(ours: str, theirs: str, end_ms: float) -> list[float]:
    """The ratio of the medians, query by query."""
    ratios = []
    for name, query in QUERIES.items():
        timed(ours, query, end_ms)
        timed(theirs, query, end_ms)
        pairs = [(timed(ours, query, end_ms), timed(theirs, query, end_ms)) for _ in range(TIMES)]
        mine = statistics.median(one[0][0] for one in pairs)
        other = statistics.median(one[1][0] for one in pairs)
        ratios.append(mine / other)
        sizes = f"{pairs[0][0][1]} and {pairs[0][1][1]} bytes"
        print(f"{name:18} {mine:9.1f} ms {other:9.1f} ms   x {mine / other:.2f}   {sizes}")
    return ratios


def main() -> int:
    if not peer.is_here():
        print("Prometheus is not here (tests/peers/obtain.sh): not compared.")
        return 0
    count = int(sys.argv[1]) if len(sys.argv) > 1 else SERIES
    series = [one for number in range(max(1, count // 34)) for one in instance(number)]
    home = tempfile.mkdtemp(prefix="sw", dir="/tmp")
    store = stores.open(load({"STEERWAY_HOME": home}))
    try:
        with peer.prometheus() as other, served(store) as url:
            start = int(time.time() - HOURS * 3600) * 1000
            end_ms = fill(store, other, series, start)
            print(f"{len(series)} series x {HOURS} h x {EVERY_SECONDS} s; step {STEP_SECONDS} s")
            ratios = compare(url, other.url, end_ms)
    finally:
        stores.close()
        shutil.rmtree(home, ignore_errors=True)
    median, worst = statistics.median(ratios), max(ratios)
    print(
        f"median x {median:.2f} (at most {MEDIAN_BOUND}), "
        f"worst x {worst:.2f} (at most {WORST_BOUND})"
    )
    return 0 if median <= MEDIAN_BOUND and worst <= WORST_BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
