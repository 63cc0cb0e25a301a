"""What the router costs: time to take a table, memory, and time to start and be replaced.

    PYTHONPATH=. python benchmarks/bench_router.py

Everything runs on free ports of this machine, with real Envoys and small Python replicas.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from steerway.delivery.router.rules import Share, Table, Version, VirtualHost
from tests.delivery.router.stage import (
    Load,
    Replica,
    Stage,
    elapsed,
    replicas,
    shop,
    stage,
    table,
    version,
)

FLIPS = 30
MANY = 100


def main() -> None:
    with stage() as router, replicas("one", "two") as (one, two):
        print(f"start until ready          {1000 * elapsed(router.start):8.1f} ms")
        flips(router, one, two)
        requests(router)
        print(f"resident, 2 versions       {resident(router):8.1f} MB")
        many(router, one)
        print(f"resident, {MANY} versions     {resident(router):8.1f} MB")
        with Load(router.site.port, "s0.localhost") as load:
            load.more(200)
            print(f"replace by a new Envoy     {1000 * elapsed(router.envoy.upgrade):8.1f} ms")
            load.more(200)
        print(f"requests lost meanwhile    {sum(load.failed.values()):8} of {load.total}")


def flips(router: Stage, one: Replica, two: Replica) -> None:
    versions = version("shop-1", one), version("shop-2", two)
    router.envoy.apply(table(shop(("shop-1", 100)), *versions))
    tables = [table(shop((f"shop-{1 + n % 2}", 100)), *versions) for n in range(1, FLIPS + 1)]
    with Load(router.site.port, "shop.localhost", clients=2) as load:
        idle = [elapsed(lambda t=wanted: router.envoy.apply(t)) for wanted in tables]
    say("move traffic, under load", idle)
    print(f"requests lost meanwhile    {sum(load.failed.values()):8} of {load.total}")
    same: Callable[[], object] = lambda: router.envoy.apply(tables[-1])  # noqa: E731
    say("take an equal table", [elapsed(same) for _ in range(FLIPS)])
    fresh = [
        elapsed(
            lambda n=n: router.envoy.apply(table(shop((f"new-{n}", 100)), version(f"new-{n}", one)))
        )
        for n in range(FLIPS)
    ]
    say("replace a version by a new one", fresh)


def requests(router: Stage) -> None:
    times = [elapsed(lambda: router.ask("shop.localhost")) for _ in range(300)]
    say("one request, new connection", times)


def many(router: Stage, replica: Replica) -> None:
    versions = tuple(
        Version(f"s{n}-1", f"s{n}", "production", "r1", (replica.endpoint,)) for n in range(MANY)
    )
    hosts = tuple(
        VirtualHost(f"s{n}", f"s{n}", "production", (f"s{n}.localhost",), (Share(f"s{n}-1", 100),))
        for n in range(MANY)
    )
    wanted = Table(hosts, versions)
    say(f"take {MANY} services at once", [elapsed(lambda: router.envoy.apply(wanted))])
    same = [elapsed(lambda: router.envoy.apply(wanted)) for _ in range(10)]
    say(f"take an equal table of {MANY}", same)
    started = time.monotonic()
    router.envoy.counts()
    print(f"counts of {MANY} services      {1000 * (time.monotonic() - started):8.1f} ms")


def resident(router: Stage) -> float:
    status = Path(f"/proc/{router.serving()}/status").read_text()
    line = next(one for one in status.splitlines() if one.startswith("VmRSS:"))
    return int(line.split()[1]) / 1000


def say(what: str, times: list[float]) -> None:
    middle, most = 1000 * statistics.median(times), 1000 * max(times)
    print(f"{what:31}{middle:8.1f} ms median, {most:.1f} ms at most")


if __name__ == "__main__":
    main()
